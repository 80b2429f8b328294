// Package throttle slows down the guessing of passwords. It counts failed
// logins by submitted name and source, says whether the next attempt may be made
// now, and whose turn it is when many sources make attempts at once.
//
// It sees names and sources and keeps neither, only keyed hashes of them; it
// never sees a password, does not know which names exist, and so answers alike
// for those that do and those that do not (rule 9). Its tables are bounded, and
// an attempt costs the same whatever they hold (rule 11). host/gate asks it
// before it asks the backend, so that a refusal costs no hashing.
package throttle
