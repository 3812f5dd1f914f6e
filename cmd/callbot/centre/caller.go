package centre

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"jedel/cmd/callbot/art"
	"jedel/cmd/callbot/bot"
	"jedel/cmd/callbot/city"
	"jedel/cmd/callbot/clip"
	"jedel/cmd/callbot/day"
	"jedel/cmd/callbot/watch"
	"jedel/signaling/wire"
)

// Least times of callers: at any speed an operator must be able to answer and to hear something.
const (
	leastTalk     = 4 * time.Second
	leastPatience = 45 * time.Second
	leastGiveUp   = 1500 * time.Millisecond
	giveUpBelow   = 10 * time.Second // a patience below it is somebody's who gives up before an answer
	walkMps       = 1.2
)

// call is one caller; who gives up and still needs help calls again.
func (p *play) call(ctx context.Context, c day.Call) {
	who := fmt.Sprintf("call %d", c.N)
	theme, _ := day.ThemeOf(c.Theme)
	words := day.Line(theme, c.Lang, 0)
	if c.Types {
		words = ""
	}
	media, err := p.studio.Clip(ctx, art.Scene{Theme: c.Theme, Plate: "", At: p.now(), Seed: p.Seed<<16 + uint64(c.N)}, words, c.Lang)
	if err != nil && ctx.Err() == nil {
		p.fault(who, err)
	}
	if c.Kind == wire.KindSilent {
		media.Audio = clip.Silence()
	}
	if !p.rest(ctx, time.Until(p.due(c))) {
		return
	}
	p.tell(nil, who, "%s, %s: %s, %s", c.Kind, c.Lang, c.Theme, c.Where.RU)
	seen := &caller{play: p, who: who, story: story{theme, c.Lang}}
	b := p.callerBot(c, theme, media)
	b.See = seen.see
	if err := b.Run(ctx); err != nil && ctx.Err() == nil {
		return // the journal has it from the bot's last word
	}
	if seen.wasAnswered() || p.home() {
		return
	}
	p.tell(func(s *Summary) { s.GaveUp++ }, who, "gave up")
	if !c.Again || !p.rest(ctx, p.scaled(20*time.Second, time.Second)) {
		return
	}
	p.tell(func(s *Summary) { s.CalledBack++ }, who, "calls again")
	again := p.callerBot(c, theme, media)
	again.Patience, again.See = p.scaled(4*time.Minute, leastPatience), seen.see
	_ = again.Run(ctx)
}

func (p *play) callerBot(c day.Call, theme day.Theme, media clip.Clip) bot.Caller {
	b := bot.Caller{
		Config: bot.Config{URL: p.URL, Lang: c.Lang, Clip: media}, Kind: c.Kind, Talk: p.scaled(c.Talk, leastTalk), Patience: p.scaled(c.Patience, leastPatience),
		GivesUp: true, Lat: c.Where.Lat, Lon: c.Where.Lon, Quit: p.done, Thinks: p.scaled(4*time.Second, 500*time.Millisecond),
	}
	if c.Patience < giveUpBelow {
		b.Patience = p.scaled(c.Patience, leastGiveUp)
	}
	if c.Types {
		b.Text = day.Line(theme, c.Lang, 0)
	}
	for n := 1; n < len(theme.Says[c.Lang]); n++ {
		b.Answers = append(b.Answers, day.Line(theme, c.Lang, n))
	}
	if c.Walks {
		to := city.Near(rand.New(rand.NewPCG(p.Seed, uint64(c.N))), c.Where.Spot, 150)
		way := city.Way{c.Where.Spot, to}
		b.Walk = func(d time.Duration) (float64, float64) {
			s, _ := way.At(walkMps * p.Speed * d.Seconds())
			return s.Lat, s.Lon
		}
	}
	return b
}

// caller is what is seen of one caller.
type caller struct {
	*play
	who   string
	story story

	mu       sync.Mutex // guards the rest
	answered bool
	phase    string
}

func (c *caller) wasAnswered() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answered
}

// see tells the journal what happened to the caller.
func (c *caller) see(e watch.Event) {
	c.book.See(e)
	switch e := e.(type) {
	case watch.Created:
		c.remember(e.Call, c.story)
		c.tell(nil, c.who, "is %s", e.Number)
	case watch.Viewed:
		c.mu.Lock()
		news := e.Phase != c.phase
		c.phase = e.Phase
		c.answered = c.answered || e.Phase == string(wire.PhaseTalking)
		c.mu.Unlock()
		if news {
			c.tell(nil, c.who, "%s %s", e.Phase, e.EndReason)
		}
	case watch.Forgotten:
		c.tell(nil, c.who, "FORGOTTEN")
	case watch.Ended:
		if e.Err != nil {
			c.tell(nil, c.who, "FAILED %v", e.Err)
		}
	}
}

// manner is how the operators of the demo take a call that the centre made; another they take without
// a word.
func (p *play) manner(call string) bot.Manner {
	s, ok := p.known(call)
	if !ok {
		return bot.Manner{Outcome: "patrol"}
	}
	m := bot.Manner{Category: s.theme.Category, Outcome: "registered", Asks: questions(s.lang)[:min(len(questions(s.lang)), len(s.theme.Says[s.lang])-1)]}
	switch {
	case s.theme.Patrol:
		m.Outcome = "patrol"
	case s.theme.Outcome == "passed", s.theme.Outcome == "advised":
		m.Outcome = s.theme.Outcome
	}
	return m
}

// questions are what operators ask in the chat.
func questions(lang string) []string {
	switch lang {
	case "kk":
		return []string{"Сізді естіп тұрмын. Толығырақ айтыңыз.", "Тағы не көріп тұрсыз?", "Қауіпсіз жерде болыңыз. Патруль жолда."}
	case "en":
		return []string{"I can see you. Tell me more.", "What else do you see?", "Stay in a safe place. Help is on the way."}
	}
	return []string{"Я вас слышу. Расскажите подробнее.", "Что ещё вы видите?", "Оставайтесь в безопасном месте. Помощь едет."}
}
