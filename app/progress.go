package app

// Progress is told how far long work is.
type Progress interface {
	Total(n int)      // steps that there will be
	Step(what string) // one more is done
}
