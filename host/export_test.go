package host

// PlacesWithin returns as many places for clients, tools and the upstream as a limit
// of open files allows.
func PlacesWithin(limit int, asked [3]int) [3]int {
	got := places{asked[0], asked[1], asked[2]}.within(limit)
	return [3]int{got.clients, got.tools, got.upstream}
}
