//go:build race

package projections

// thorough says whether there is time for all: the race detector makes SQLite ten times slower.
const thorough = false
