package centre

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"jedel/cmd/callbot/art"
	"jedel/cmd/callbot/city"
	"jedel/cmd/callbot/day"
	"jedel/cmd/callbot/exchange"
	"jedel/cmd/callbot/rest"
	"jedel/internal/fault"
	"jedel/signaling/wire"
)

const (
	lookEvery = 10 * time.Second // how often a citizen looks for a reply
	leastLook = time.Second
	looks     = 400 // and how many times in all
	retries   = 6   // of a report that the gateway could not take yet
)

// attached is a file of a report.
type attached struct {
	declared
	raw []byte
}

// report is one citizen's report, from writing it to being content with the reply. free is called when
// nothing more is sent.
func (p *play) report(ctx context.Context, r day.Report, free func()) {
	who := fmt.Sprintf("report %d", r.N)
	theme, _ := day.ThemeOf(r.Theme)
	phone := rest.Citizen(p.URL)
	files, err := p.files(ctx, r, theme)
	if err != nil && ctx.Err() == nil {
		p.fault(who, err)
	}
	if !p.rest(ctx, time.Until(p.due(r))) {
		return
	}
	req := request(r, theme, files)
	got, err := register(ctx, phone, req)
	if err != nil {
		if ctx.Err() == nil {
			p.tell(func(s *Summary) { s.Reports.Refused++ }, who, "refused: %v", err)
		}
		return
	}
	p.remember(got.Report, story{theme, r.Lang})
	p.tell(func(s *Summary) { s.Reports.Registered++ }, who, "is %s: %s, %s, %d files, %s", got.Number, r.Theme, r.Lang, len(files), r.Where.RU)
	for _, f := range files {
		if err := phone.Upload(ctx, got.Report, f.File, f.raw); err != nil {
			if ctx.Err() == nil {
				p.tell(func(s *Summary) { s.Reports.FilesRefused++ }, who, "%s was not taken: %v", f.Name, err)
			}
			continue
		}
		p.tell(func(s *Summary) { s.Reports.Files++ }, who, "sent %s", f.Name)
	}
	free()
	p.follow(ctx, phone, r, got)
}

// register sends a report until the gateway has it: sent twice it is one.
func register(ctx context.Context, phone rest.Client, req reportRequest) (receipt, error) {
	var got receipt
	for n := 1; ; n++ {
		err := phone.Do(ctx, "POST", "/api/v1/reports", req, &got)
		again := err != nil && (!exchange.Refused(err) || exchange.Refused(err, fault.RateLimited, fault.Unavailable))
		if !again || n == retries || !pause(ctx, time.Second) {
			return got, err
		}
	}
}

func fixAt(s city.Spot, accuracy float64, source string) *wire.Fix {
	return &wire.Fix{Lat: s.Lat, Lon: s.Lon, AccuracyM: accuracy, Source: source, ClientMs: time.Now().UnixMilli()}
}

func request(r day.Report, theme day.Theme, files []attached) reportRequest {
	req := reportRequest{
		Ref: newID(), Kind: theme.Report, Text: r.Text, Lang: r.Lang, MadeMs: time.Now().UnixMilli(), Plate: r.Plate, Where: r.Where.Words(r.Lang), Fix: fixAt(r.From, 15, "device"),
	}
	if r.Pins {
		req.Pin = fixAt(r.Where.Spot, 0, "pin")
	}
	for _, f := range files {
		req.Files = append(req.Files, f.declared)
	}
	return req
}

// files are photos with the time and place of the phone, and a voice message.
func (p *play) files(ctx context.Context, r day.Report, theme day.Theme) ([]attached, error) {
	var out []attached
	for n := range r.Photos {
		shot := art.Photo{Scene: art.Scene{Theme: r.Theme, Plate: r.Plate, At: p.now(), Seed: p.Seed<<20 + uint64(r.N*8+n)}, Lat: r.From.Lat, Lon: r.From.Lon, Place: n == 0}
		raw, err := shot.JPEG()
		if err != nil {
			return out, err
		}
		f := declare(fmt.Sprintf("photo-%d.jpg", n+1), "image/jpeg", raw)
		f.Lat, f.Lon, f.AccuracyM = &r.From.Lat, &r.From.Lon, 15
		out = append(out, f)
	}
	if r.Voice {
		raw, err := p.studio.Voice(ctx, day.Line(theme, r.Lang, 0), r.Lang)
		if err != nil {
			return out, err
		}
		out = append(out, declare("voice.ogg", "audio/ogg", raw))
	}
	return out, nil
}

func declare(name, mime string, raw []byte) attached {
	sum := sha256.Sum256(raw)
	return attached{declared{File: newID(), Bytes: len(raw), SHA256: hex.EncodeToString(sum[:]), Name: name, Mime: mime, CapturedMs: time.Now().UnixMilli()}, raw}
}

// follow looks for the reply until there is one. Who is not content with the first reopens.
func (p *play) follow(ctx context.Context, phone rest.Client, r day.Report, got receipt) {
	who, status := fmt.Sprintf("report %d", r.N), "registered"
	for range looks {
		if !p.rest(ctx, p.scaled(lookEvery, leastLook)) {
			return
		}
		var mine myReports
		if err := phone.Do(ctx, "GET", "/api/v1/reports", nil, &mine); err != nil || len(mine.Reports) != 1 {
			continue // there is a next look
		}
		now := mine.Reports[0]
		if now.Status == status {
			continue
		}
		status = now.Status
		if status != "closed" {
			p.tell(nil, who, "%s %s", got.Number, status)
			continue
		}
		text := ""
		if n := len(now.Replies); n > 0 {
			text = now.Replies[n-1].Text
		}
		p.tell(func(s *Summary) { s.Reports.Replied++ }, who, "%s closed: %s", got.Number, text)
		if !r.Reopens || !now.MayReopen {
			return
		}
		r.Reopens = false
		if !p.rest(ctx, p.scaled(30*time.Second, time.Second)) {
			return
		}
		err := phone.Do(ctx, "POST", "/api/v1/reports/"+got.Report+"/amends", amendment{ID: newID(), Text: again(r.Lang), Reopen: true}, nil)
		if err != nil {
			p.tell(nil, who, "cannot reopen: %v", err)
			return
		}
		p.tell(func(s *Summary) { s.Reports.Reopened++ }, who, "%s is not content and reopens", got.Number)
	}
}

func again(lang string) string {
	return threefold{KK: "Ештеңе өзгерген жоқ, қайта қараңыз.", RU: "Ничего не изменилось, посмотрите ещё раз.", EN: "Nothing has changed, please look again."}.in(lang)
}
