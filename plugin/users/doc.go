// Package users is the users-management logic over a Store: who may change
// what, how passwords are kept, which rules refuse, and what a repeat of a
// request answers. Service implements account.Users; a backend author brings a
// Store and gets the rest.
//
// It upholds the design's rules 2 (exactly once), 6 (an edit is atomic), 7
// (always an enabled ADMIN), 8 (rights are checked at commit; nobody suspends
// themselves) and 9 (secrets stay), and the plugin's share of 3, 4, 5 and 11.
// It never speaks a network protocol, never knows a store's technology, and
// keeps no state about accounts outside the store. Tokens and sessions are the
// host's; durability is the Store's.
package users
