package account

// The abilities that a backend declares. What it has not declared it answers
// with Unsupported, and verification reports as unsupported.
const (
	// CapabilityChange: accounts can be changed through the backend: Initialize,
	// Create, Edit, Password, Delete, Grant, Revoke, Suspend, Enable. One without
	// it shows accounts that are kept, and changed, elsewhere.
	CapabilityChange = "change"
	// CapabilityDurable: what is acknowledged survives the process (rule 1).
	CapabilityDurable = "durable"
	CapabilityApply   = "apply"   // Apply and Plan
	CapabilityExport  = "export"  // Export
	CapabilityBackup  = "backup"  // Backup
	CapabilityRecover = "recover" // Recover
	CapabilityRestore = "restore" // Restore
)

// lacking says in words what a backend without the capability cannot do.
var lacking = map[string]string{
	CapabilityChange:  "changing accounts",
	CapabilityApply:   "applying accounts from a file",
	CapabilityExport:  "exporting password hashes",
	CapabilityBackup:  "a backup",
	CapabilityRecover: "recovering an administrator",
	CapabilityRestore: "restoring a backup",
}
