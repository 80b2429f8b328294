package home

// Check is what Open requires of a home's mode and owner.
var Check = check
