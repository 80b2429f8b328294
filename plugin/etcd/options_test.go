package etcd

import "testing"

// TestDistant: to these it is told in the log that hashes travel in the clear.
func TestDistant(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"http://localhost:2379": false, "http://127.0.0.1:2379": false, "http://[::1]:2379": false,
		"http://etcd1:2379": true, "http://192.0.2.1:2379": true, "http://[2001:db8::1]:2379": true, "http://localhost.example:2379": true,
	} {
		if got := distant(endpoint); got != want {
			t.Errorf("%s: %v", endpoint, got)
		}
	}
}
