package stats

import "slices"

// percentiles returns for each percent the least value that so many percent of v do not exceed
// (nearest rank). v is not empty; its order may change.
func percentiles(v []uint32, percents []int) []uint32 {
	ranks := make([]int, len(percents))
	for i, p := range percents {
		ranks[i] = max(1, (len(v)*p+99)/100) - 1
	}
	if len(v) < 1<<14 { // sorting is quicker than 65,536 counters
		slices.Sort(v)
		out := make([]uint32, len(ranks))
		for i, r := range ranks {
			out[i] = v[r]
		}
		return out
	}
	return digits(v, ranks)
}

// digits selects by counting: the upper half of each number first, then the lower half of those that
// share the upper one. Its time does not depend on the order of v.
func digits(v []uint32, ranks []int) []uint32 {
	out := make([]uint32, len(ranks))
	count := make([]uint32, 1<<16)
	for _, x := range v {
		count[x>>16]++
	}
	upper, rest := make([]uint32, len(ranks)), make([]int, len(ranks))
	for i, r := range ranks {
		upper[i], rest[i] = nth(count, r)
	}
	for i, u := range upper {
		if i == 0 || u != upper[i-1] {
			clear(count)
			for _, x := range v {
				if x>>16 == u {
					count[x&0xffff]++
				}
			}
		}
		low, _ := nth(count, rest[i])
		out[i] = u<<16 | low
	}
	return out
}

// nth returns the bin of the element of a rank, and its rank within the bin.
func nth(count []uint32, rank int) (bin uint32, rest int) {
	for i, n := range count {
		if rank < int(n) {
			return uint32(i), rank
		}
		rank -= int(n)
	}
	panic("bug: a rank beyond all elements")
}
