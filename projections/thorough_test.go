//go:build !race

package projections

// thorough says whether there is time for all.
const thorough = true
