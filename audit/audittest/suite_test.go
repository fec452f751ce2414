package audittest

import (
	"sync"
	"testing"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	logs := map[string]*Memory{}
	Run(t, Config{
		Open: func(_ testing.TB, dir string) (Log, func()) {
			mu.Lock()
			defer mu.Unlock()
			if logs[dir] == nil {
				logs[dir] = &Memory{}
			}
			return logs[dir], func() {}
		},
		Tamper: func(_ testing.TB, log Log, index int64, leaf []byte) { log.(*Memory).SetLeaf(index, leaf) },
	})
}
