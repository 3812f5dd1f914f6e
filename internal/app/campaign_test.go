package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"jedel/internal/ident"
)

// campaign is phones that send files through everything that goes wrong.
type campaign struct {
	m     *mortal
	t     *testing.T
	done  atomic.Int64 // files
	cuts  atomic.Int64 // parts that broke off on purpose
	again atomic.Int64 // reports sent once more
	moves atomic.Int64 // changes of the network
	lost  atomic.Int64 // requests without an answer
	goes  sync.RWMutex // held by the killer while there is no gateway
}

// phoneWithFiles is one report and its sender.
type phoneWithFiles struct {
	key   http.Header
	body  string
	id    string
	files []sentFile
	rnd   *rand.Rand
	link  *http.Client
}

// network gives a phone another address of this machine, and new connections.
func (c *campaign) network(p *phoneWithFiles) {
	if p.link != nil {
		p.link.CloseIdleConnections()
		c.moves.Add(1)
	}
	from := &net.TCPAddr{IP: net.IPv4(127, byte(1+p.rnd.IntN(200)), byte(p.rnd.IntN(250)), byte(1+p.rnd.IntN(250)))}
	p.link = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: from, Timeout: 5 * time.Second}).DialContext, MaxIdleConnsPerHost: 2}}
}

func (c *campaign) newPhone(n, files int) *phoneWithFiles {
	p := &phoneWithFiles{key: phone(), rnd: rand.New(rand.NewPCG(uint64(n), 4))}
	c.network(p)
	list := make([]string, files)
	for i := range files {
		f := newFile("image/jpeg", snap(c.t, n*1000+i, 16+p.rnd.IntN(160)))
		p.files = append(p.files, f)
		list[i] = f.declaration()
	}
	p.body = `{"ref":"` + ident.New[string]() + `","text":"` + strconv.Itoa(n) + `","files":[` + strings.Join(list, ",") + `]}`
	return p
}

// post sends the report; an answer that says otherwise than an earlier one is a fault.
func (c *campaign) post(ctx context.Context, p *phoneWithFiles) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.m.url+"/api/v1/reports", strings.NewReader(p.body))
	if err != nil {
		return err
	}
	req.Header = p.key.Clone()
	res, err := p.link.Do(req)
	if err != nil {
		c.lost.Add(1)
		return nil
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusTooManyRequests {
		c.lost.Add(1)
		return nil
	}
	_, rest, _ := strings.Cut(string(raw), `"report":"`)
	id, _, _ := strings.Cut(rest, `"`)
	if res.StatusCode != http.StatusCreated || id == "" || p.id != "" && p.id != id {
		return fmt.Errorf("report: %d %s, was %s", res.StatusCode, raw, p.id)
	}
	p.id = id
	return nil
}

// run sends a report and its files to the end.
func (c *campaign) run(ctx context.Context, p *phoneWithFiles) error {
	for twice := p.rnd.IntN(3) == 0; p.id == "" || twice; {
		had := p.id != ""
		if err := c.post(ctx, p); err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if had {
			c.again.Add(1)
			twice = false
		}
		c.breathe(p)
	}
	for _, f := range p.files {
		cut := false
		for tries := 0; ; tries++ {
			at, why := tusOffsetBy(ctx, p.link, c.m.url, p.key, p.id+"-"+f.id)
			if at == len(f.raw) {
				break
			}
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case tries > 3000:
				return fmt.Errorf("%s never arrives: %d of %d: %s", f.id, at, len(f.raw), why)
			case at < 0:
				c.lost.Add(1)
				c.breathe(p)
				continue
			}
			if rest := f.raw[at:]; !cut || p.rnd.IntN(4) == 0 {
				cut = true
				c.cuts.Add(1)
				k := p.rnd.IntN(len(rest))
				tusSendFrom(ctx, p.link, c.m.url, p.key, p.id+"-"+f.id, at, io.MultiReader(strings.NewReader(string(rest[:k])), broken{}), int64(len(rest)))
				if p.rnd.IntN(3) == 0 {
					c.network(p)
				}
			} else if !tusSend(ctx, p.link, c.m.url, p.key, p.id+"-"+f.id, at, rest[:1+p.rnd.IntN(len(rest))]) {
				c.lost.Add(1)
			}
		}
		c.done.Add(1)
	}
	return nil
}

// breathe waits for a gateway where there is none.
func (c *campaign) breathe(*phoneWithFiles) {
	c.goes.RLock()
	defer c.goes.RUnlock()
}

// broken is a connection that breaks off.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("cut") }

// tusOffsetBy asks how much is here; -1 and why where there is no answer.
func tusOffsetBy(ctx context.Context, link *http.Client, url string, who http.Header, name string) (int, string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url+"/api/v1/reports/uploads/"+name, nil)
	if err != nil {
		return -1, err.Error()
	}
	req.Header = who.Clone()
	req.Header.Set("Tus-Resumable", "1.0.0")
	res, err := link.Do(req)
	if err != nil {
		return -1, err.Error()
	}
	_ = res.Body.Close()
	n, err := strconv.Atoi(res.Header.Get("Upload-Offset"))
	if err != nil || res.StatusCode != http.StatusOK {
		return -1, res.Status
	}
	return n, ""
}

// TestInterruptedUploadsAreKeptOnce sends files of which each is cut at least once, at a random byte, while
// the gateway is killed or restarted, reports are sent twice and phones change their networks. Then every
// archive is opened: nothing is lost, nothing is there twice, every byte is the one that was sent.
// JEDEL_TEST_UPLOADS says how many files.
func TestInterruptedUploadsAreKeptOnce(t *testing.T) {
	t.Parallel()
	total, each := 100, 20
	if n, err := strconv.Atoi(os.Getenv("JEDEL_TEST_UPLOADS")); err == nil {
		total = n
	}
	m := newMortal(t)
	if err := m.start(0); err != nil {
		t.Fatal(err)
	}
	c := &campaign{m: m, t: t}
	begin := time.Now()
	phones := make([]*phoneWithFiles, (total+each-1)/each)
	for i := range phones {
		phones[i] = c.newPhone(i, min(each, total-i*each))
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	next := make(chan *phoneWithFiles)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for p := range next {
				if err := c.run(ctx, p); err != nil {
					t.Error(err)
					stop()
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for _, p := range phones {
			select {
			case next <- p:
			case <-ctx.Done():
			}
		}
		close(next)
		senders.Wait()
	}()
	kills, restarts := c.disturb(t, ended)
	took := time.Since(begin)
	if t.Failed() {
		return
	}
	for _, p := range phones {
		files := m.filesOf(p.key)
		for _, f := range files {
			if f["keptMs"].(float64) == 0 {
				t.Errorf("lost: %v", f)
			}
		}
		if len(files) != len(p.files) {
			t.Errorf("%d of %d files", len(files), len(p.files))
		}
	}
	m.end(syscall.SIGTERM)
	for _, p := range phones {
		if err := m.holds(p.id, p.files); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d files of %d reports in %v: %d cut on purpose, %d kills, %d restarts, %d reports sent again, %d changes of network, %d requests without an answer",
		c.done.Load(), len(phones), took.Round(time.Second), c.cuts.Load(), kills, restarts, c.again.Load(), c.moves.Load(), c.lost.Load())
	if c.cuts.Load() < int64(total) || kills == 0 {
		t.Error("it went too well")
	}
}

// disturb kills and restarts the gateway until the senders are done; the first time soon, and by a kill.
func (c *campaign) disturb(t *testing.T, ended chan struct{}) (kills, restarts int) {
	for {
		wait := time.NewTimer(time.Duration(200+rand.IntN(500)+min(kills, 1)*rand.IntN(2500)) * time.Millisecond)
		select {
		case <-ended:
			wait.Stop()
			return kills, restarts
		case <-wait.C:
		}
		c.goes.Lock()
		if kills > 0 && rand.IntN(4) == 0 {
			c.m.end(syscall.SIGTERM)
			restarts++
		} else {
			c.m.end(syscall.SIGKILL)
			kills++
		}
		err := c.m.start(0)
		c.goes.Unlock()
		if err != nil {
			t.Error(err)
			<-ended
			return kills, restarts
		}
	}
}
