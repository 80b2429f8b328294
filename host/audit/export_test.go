package audit

// OpenFile is what Open uses unless told otherwise.
var OpenFile = openFile
