package keystead

// Verdicts that are used again for some seconds, where that was asked for.

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

const (
	cacheAgeMax     = 10 * time.Second
	cacheEntriesMax = 1_000_000
)

type digest [sha256.Size]byte

// instant is a time of a clock that never steps, and of the clock on the wall.
type instant struct {
	steady time.Duration
	wall   time.Time
}

type cached struct {
	at    digest
	asked instant
	// As it came, so that no two requests share what one of them could change.
	answer []byte
}

// cache holds verdicts that let pass and that count nothing; a digest leads to each, never the key.
type cache struct {
	age        time.Duration
	entriesMax int
	now        func() (steady time.Duration, wall time.Time)
	digestKey  []byte

	mutex   sync.Mutex
	entries map[digest]*list.Element
	// The oldest first.
	order *list.List
}

func newCache(age time.Duration, entriesMax int, now func() (time.Duration, time.Time)) (*cache, error) {
	if age < 0 || age > cacheAgeMax {
		return nil, setting("a cache's age is 0 to 10 s: so long a revoked key can pass")
	}
	if entriesMax < 1 || entriesMax > cacheEntriesMax {
		return nil, setting("a cache has 1 to 1,000,000 entries")
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	entries := make(map[digest]*list.Element)
	return &cache{age: age, entriesMax: entriesMax, now: now, digestKey: key, entries: entries, order: list.New()}, nil
}

func (c *cache) instant() instant {
	steady, wall := c.now()
	return instant{steady, wall.Round(0)}
}

func (c *cache) digest(question []byte) (at digest) {
	mac := hmac.New(sha256.New, c.digestKey)
	mac.Write(question)
	mac.Sum(at[:0])
	return at
}

// get answers the verdict, if it is young enough.
func (c *cache) get(at digest) *Verdict {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	element, here := c.entries[at]
	if !here {
		return nil
	}
	entry := element.Value.(*cached)
	now := c.instant()
	// Stale if either clock says so: the one stands still in a machine that is paused, the other is set.
	steady, wall := now.steady-entry.asked.steady, now.wall.Sub(entry.asked.wall)
	if steady < 0 || steady >= c.age || wall < 0 || wall >= c.age {
		c.remove(element)
		return nil
	}
	verdict, err := readVerdict(entry.answer)
	if err != nil {
		return nil
	}
	return verdict
}

// keep keeps a verdict that lets pass, unless each request has to be counted. Its age counts from before it was asked,
// or it would be more than the bound.
func (c *cache) keep(at digest, verdict *Verdict, answer []byte, asked instant) {
	if !verdict.Valid || verdict.isCounted() {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if element, here := c.entries[at]; here {
		c.remove(element)
	}
	for c.order.Len() >= c.entriesMax {
		c.remove(c.order.Front())
	}
	c.entries[at] = c.order.PushBack(&cached{at, asked, answer})
}

func (c *cache) remove(element *list.Element) {
	delete(c.entries, element.Value.(*cached).at)
	c.order.Remove(element)
}
