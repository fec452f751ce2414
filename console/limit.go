package console

import (
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// rateOf is how often something may be done: burst at once, and then every so often.
type rateOf struct {
	every time.Duration
	burst int
}

// How often a session may order something, and how often may everybody behind one address; behind a proxy all
// are behind one. Entering counts by address. To ask why has the whole log verified.
var (
	ordersOfSession = rateOf{2 * time.Second, 30}
	ordersOfAddress = rateOf{200 * time.Millisecond, 150}
	entersOfAddress = rateOf{500 * time.Millisecond, 60}
	asksOfSession   = rateOf{5 * time.Second, 10}
)

// mostLimits is how many keys are counted one by one; beyond that the others share one limit.
const mostLimits = 10_000

// limits counts what is done by key.
type limits struct {
	now func() time.Time

	mu   sync.Mutex
	keys map[limitKey]*rate.Limiter
}

type limitKey struct {
	of  rateOf
	key string
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, keys: map[limitKey]*rate.Limiter{}}
}

// wait is how long it takes until a key may again, 0 for now; then it is counted.
func (l *limits) wait(of rateOf, key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, k := l.now(), limitKey{of, key}
	one, ok := l.keys[k]
	if !ok {
		if len(l.keys) >= mostLimits {
			for k, one := range l.keys {
				if one.TokensAt(now) >= float64(k.of.burst) { // as if it had never come
					delete(l.keys, k)
				}
			}
		}
		if len(l.keys) >= mostLimits {
			k.key = "others"
		}
		if one, ok = l.keys[k]; !ok {
			one = rate.NewLimiter(rate.Every(of.every), of.burst)
			l.keys[k] = one
		}
	}
	r := one.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// addressOf is who sent a request, as far as addresses say: of IPv6 the network of a site. Headers of proxies
// do not count, since everybody can write them.
func addressOf(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	if ip = ip.Unmap(); ip.Is6() {
		net, _ := ip.Prefix(64) // it has that many bits
		return net.String()
	}
	return ip.String()
}

// often answers a request that came too often; false for one that did not.
func (c *Console) often(w http.ResponseWriter, r *http.Request, v visitor, of rateOf, key string) bool {
	wait := c.limits.wait(of, key)
	if wait == 0 {
		return false
	}
	seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
	w.Header().Set("Retry-After", seconds)
	c.answer(w, r, http.StatusTooManyRequests, v, "Not done", message("Nothing was done", "That was too often. Try it again in "+seconds+" s."))
	return true
}

// entering bounds how often an address tries to enter.
func (c *Console) entering(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !c.often(w, r, visitor{}, entersOfAddress, addressOf(r)) {
			next(w, r)
		}
	}
}
