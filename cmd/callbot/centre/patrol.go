package centre

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"jedel/cmd/callbot/art"
	"jedel/cmd/callbot/bot"
	"jedel/cmd/callbot/city"
	"jedel/cmd/callbot/exchange"
	"jedel/cmd/callbot/rest"
	"jedel/internal/fault"
)

// How patrols drive, in metres a second; faster than fastest the gateway takes for a broken fix.
const (
	cruise   = 9.0
	hurry    = 16.0
	fastest  = 75.0
	lookTime = 2 * time.Second // how often a patrol looks and tells where it is
)

// unit is a patrol on duty.
type unit struct {
	*play
	who   string
	token string
	c     rest.Client
	r     *rand.Rand
	at    city.Spot
	way   city.Way
	gone  float64 // metres along way
	last  time.Time
	rests time.Time // stands about until then
}

// patrol is one of patrol1 … patrol6, from going on duty to going off.
func (p *play) patrol(ctx context.Context, n int) {
	u := &unit{play: p, who: fmt.Sprintf("patrol%d", n), r: rand.New(rand.NewPCG(p.Seed, 100+uint64(n)))}
	u.at = city.Anywhere(u.r).Spot
	var err error
	if u.token, err = rest.SignIn(ctx, p.URL, u.who, p.Password); err == nil {
		u.c = rest.Staff(p.URL, u.token)
		err = u.c.Do(ctx, "PUT", "/api/v1/patrol/duty", map[string]bool{"on": true}, nil)
	}
	if err != nil {
		if ctx.Err() == nil {
			p.fault(u.who, err)
		}
		return
	}
	p.tell(func(s *Summary) { s.Patrols.OnDuty++ }, u.who, "on duty")
	u.last = time.Now()
	for u.look(ctx) && p.rest(ctx, lookTime) {
	}
	u.leave(ctx)
}

// look is one look at the phone; false: the patrol ends.
func (u *unit) look(ctx context.Context) bool {
	u.drive(cruise)
	if err := u.tellFix(ctx); err != nil {
		u.tell(nil, u.who, "its position was not taken: %v", err)
	}
	var v patrolView
	if err := u.c.Do(ctx, "GET", "/api/v1/patrol", nil, &v); err != nil {
		return ctx.Err() == nil // there is a next look
	}
	if v.Task == nil || v.State == "off" {
		return ctx.Err() == nil
	}
	if err := u.task(ctx, v); err != nil && ctx.Err() == nil && !exchange.Refused(err, fault.TaskOver, fault.CaseClosed, fault.CaseMerged, fault.NoSuchCase) {
		u.fault(u.who, err)
	}
	return ctx.Err() == nil
}

// drive goes on along the way, or chooses another one.
func (u *unit) drive(mps float64) {
	now := time.Now()
	if now.Before(u.rests) {
		u.last = now
		return
	}
	u.gone += min(mps*u.Speed, fastest) * now.Sub(u.last).Seconds()
	u.last = now
	u.at, _ = u.way.At(u.gone)
	if u.gone < u.way.Metres() {
		return
	}
	if len(u.way) > 0 {
		u.rests = now.Add(u.scaled(time.Duration(10+u.r.IntN(60))*time.Second, time.Second))
	} else {
		u.at = city.Anywhere(u.r).Spot
	}
	u.way, u.gone = city.Route(u.at, city.Anywhere(u.r).Spot), 0
}

func (u *unit) tellFix(ctx context.Context) error {
	f := fixAt(u.at, 8, "device")
	_, heading := u.way.At(u.gone)
	f.Heading = &heading
	return u.c.Do(ctx, "PUT", "/api/v1/patrol/fix", f, nil)
}

// say says a word on the task. claimed is when it was said, where there was no network then.
func (u *unit) say(ctx context.Context, id, word string, claimed time.Time) error {
	b := map[string]any{"what": word}
	if !claimed.IsZero() {
		b["atMs"] = claimed.UnixMilli()
	}
	return u.c.Do(ctx, "POST", "/api/v1/patrol/cases/"+id+"/words", b, nil)
}

// task is one task from seeing it to being clear of it.
func (u *unit) task(ctx context.Context, v patrolView) error {
	id, number := v.Task.Case, v.Task.Number
	if v.State == "assigned" {
		if !u.rest(ctx, u.scaled(time.Duration(2+u.r.IntN(9))*time.Second, 300*time.Millisecond)) {
			return nil
		}
		if u.r.IntN(12) == 0 {
			if err := u.say(ctx, id, "declined", time.Time{}); err != nil {
				return err
			}
			u.tell(func(s *Summary) { s.Patrols.Declined++ }, u.who, "declines %s", number)
			return nil
		}
		if err := u.say(ctx, id, "accepted", time.Time{}); err != nil {
			return err
		}
		u.tell(func(s *Summary) { s.Patrols.Accepted++ }, u.who, "accepts %s", number)
	}
	if v.State != "on_scene" {
		if there, err := u.goTo(ctx, v); err != nil || !there {
			return err
		}
	}
	return u.onScene(ctx, id, number)
}

// goTo drives to the task; false: it was called back, or everybody goes home.
func (u *unit) goTo(ctx context.Context, v patrolView) (bool, error) {
	id, number := v.Task.Case, v.Task.Number
	if err := u.say(ctx, id, "en_route", time.Time{}); err != nil && !exchange.Refused(err, fault.WrongState) {
		return false, err
	}
	to := city.Near(u.r, u.at, 800)
	if v.Task.Lat != nil && v.Task.Lon != nil {
		to = city.Spot{Lat: *v.Task.Lat, Lon: *v.Task.Lon}
	}
	u.way, u.gone, u.rests, u.last = city.Route(u.at, to), 0, time.Time{}, time.Now()
	u.tell(nil, u.who, "drives to %s, %.1f km", number, u.way.Metres()/1000)
	if v.Live != "" && u.r.IntN(10) < 7 {
		u.listen(ctx, v.Live, number)
	}
	dark, back := time.Time{}, time.Time{} // without a network
	if u.r.IntN(6) == 0 {
		dark = time.Now().Add(u.scaled(20*time.Second, time.Second))
		back = dark.Add(u.scaled(time.Duration(20+u.r.IntN(40))*time.Second, 2*time.Second))
		u.tell(func(s *Summary) { s.Patrols.Offline++ }, u.who, "will lose its network for a while")
	}
	arrived := time.Time{}
	for {
		if !u.rest(ctx, lookTime) {
			return false, nil
		}
		u.gone += min(hurry*u.Speed, fastest) * time.Since(u.last).Seconds()
		u.last = time.Now()
		u.at, _ = u.way.At(u.gone)
		if arrived.IsZero() && u.gone >= u.way.Metres() {
			arrived = time.Now()
		}
		if now := time.Now(); now.After(dark) && now.Before(back) {
			continue
		}
		if err := u.tellFix(ctx); err != nil && !exchange.Refused(err, fault.BadValue) { // a jump after darkness; the next one is near
			return false, err
		}
		var now patrolView
		if err := u.c.Do(ctx, "GET", "/api/v1/patrol", nil, &now); err == nil && (now.Task == nil || now.Task.Case != id) {
			u.tell(nil, u.who, "is called back from %s", number)
			return false, nil
		}
		if !arrived.IsZero() {
			claimed := time.Time{}
			if time.Since(arrived) > lookTime/2 {
				claimed = arrived
			}
			if err := u.say(ctx, id, "on_scene", claimed); err != nil {
				return false, err
			}
			u.tell(func(s *Summary) { s.Patrols.OnScene++ }, u.who, "is there: %s", number)
			return true, nil
		}
	}
}

// onScene takes a photo, stays a while and is clear.
func (u *unit) onScene(ctx context.Context, id, number string) error {
	if u.r.IntN(2) == 0 {
		u.photo(ctx, id, number)
	}
	if !u.rest(ctx, u.scaled(time.Duration(60+u.r.IntN(180))*time.Second, 2*time.Second)) {
		return nil // leave says the word
	}
	if err := u.say(ctx, id, "cleared", time.Time{}); err != nil {
		return err
	}
	u.way, u.gone, u.last = nil, 0, time.Now()
	u.way = city.Route(u.at, city.Anywhere(u.r).Spot)
	u.tell(func(s *Summary) { s.Patrols.Cleared++ }, u.who, "is clear of %s", number)
	return nil
}

// photo puts a photo of the scene into the case.
func (u *unit) photo(ctx context.Context, id, number string) {
	theme := "order"
	if s, ok := u.known(id); ok {
		theme = s.theme.Key
	}
	raw, err := art.Photo{Scene: art.Scene{Theme: theme, At: u.now(), Seed: u.r.Uint64()}, Lat: u.at.Lat, Lon: u.at.Lon, Place: true}.JPEG()
	if err != nil {
		u.fault(u.who, err)
		return
	}
	f := declare("scene.jpg", "image/jpeg", raw)
	f.Lat, f.Lon, f.AccuracyM = &u.at.Lat, &u.at.Lon, 8
	var rec struct {
		Call string `json:"call"`
	}
	err = u.c.Do(ctx, "POST", "/api/v1/cases/"+id+"/files", map[string]any{"ref": newID(), "files": []declared{f.declared}}, &rec)
	if err == nil {
		err = u.c.Upload(ctx, rec.Call, f.File, raw)
	}
	if err != nil {
		if ctx.Err() == nil {
			u.tell(func(s *Summary) { s.Reports.FilesRefused++ }, u.who, "its photo of %s was not taken: %v", number, err)
		}
		return
	}
	u.tell(func(s *Summary) { s.Patrols.Photos++ }, u.who, "sends a photo of %s", number)
}

// listen joins the live call for a while.
func (u *unit) listen(ctx context.Context, call, number string) {
	media, err := u.studio.Clip(ctx, art.Scene{Theme: "desk", At: u.now(), Seed: 1}, "", "ru")
	if err != nil {
		return
	}
	u.tell(func(s *Summary) { s.Patrols.Joined++ }, u.who, "joins the call of %s and listens", number)
	g := bot.Guest{Config: bot.Config{URL: u.URL, Clip: media, See: u.book.See}, Token: u.token, Call: call, Stay: u.scaled(30*time.Second, 3*time.Second)}
	if err := g.Run(ctx); exchange.Refused(err) {
		u.tell(nil, u.who, "came too late for the call: %v", err)
	}
	u.last = time.Now() // it listened before it drove
}

// leave ends what is open and goes off duty.
func (u *unit) leave(ctx context.Context) {
	var v patrolView
	if err := u.c.Do(ctx, "GET", "/api/v1/patrol", nil, &v); err == nil && v.Task != nil {
		word := "cleared"
		if v.State == "assigned" {
			word = "declined"
		}
		if err := u.say(ctx, v.Task.Case, word, time.Time{}); err == nil {
			u.tell(nil, u.who, "leaves %s: %s", v.Task.Number, word)
		}
	}
	if err := u.c.Do(ctx, "PUT", "/api/v1/patrol/duty", map[string]bool{"on": false}, nil); err != nil {
		u.fault(u.who, err)
		return
	}
	u.tell(nil, u.who, "off duty")
}
