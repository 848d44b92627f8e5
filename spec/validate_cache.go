package spec

import "time"

// The largest values of a cache's bounds that are not taken for a slip of the pen.
const (
	longestStale = Duration(365 * 24 * time.Hour)
	mostVariants = 1000
	mostWaiters  = 1_000_000
)

func (l *mistakes) cache(c CacheSpec) {
	if size := c.MaxObject; size < 0 || size > largestObject {
		l.add("cache.max_object", "%s is outside of 1B to %s", size, largestObject)
	}
	l.lifetime("cache.heuristic", c.Heuristic)
	l.lifetime("cache.when_down", c.WhenDown)
	l.lifetime("cache.visitors.reload_interval", c.Visitors.ReloadInterval)
	switch c.SetCookie {
	case "", SetCookieReplay, SetCookieRemove, SetCookieRefuse:
	default:
		l.add("cache.set_cookie", "%q is none of %s, %s and %s", c.SetCookie, SetCookieReplay, SetCookieRemove, SetCookieRefuse)
	}
	b := c.Bounds
	for _, size := range []struct {
		path  string
		value Bytes
	}{{"cache.bounds.floor", b.Floor}, {"cache.bounds.ceiling", b.Ceiling}} {
		if size.value < 0 || size.value > largestObject {
			l.add(size.path, "%s is outside of 1B to %s", size.value, largestObject)
		}
	}
	if b.Ceiling > 0 && b.Floor > b.Ceiling {
		l.add("cache.bounds.floor", "%s is more than the ceiling of %s", b.Floor, b.Ceiling)
	}
	if b.Variants < 0 || b.Variants > mostVariants {
		l.add("cache.bounds.variants", "%d is outside of 1 to %d", b.Variants, mostVariants)
	}
	if b.Waiters < 0 || b.Waiters > mostWaiters {
		l.add("cache.bounds.waiters", "%d is outside of 1 to %d", b.Waiters, mostWaiters)
	}
}

func (l *mistakes) lifetime(path string, d Duration) {
	if d < 0 || d > longestStale {
		l.add(path, "%s is outside of 0s to %s", d, longestStale)
	}
}
