package day

import (
	"math/rand/v2"
	"time"

	"jedel/cmd/callbot/city"
	"jedel/signaling/wire"
)

// Scenes names what can be shown by itself.
func Scenes() []string {
	return []string{"fight", "accident", "flood-of-calls", "same-fire-10-reports", "lost-skier", "silent-caller"}
}

// Scene returns the jobs of one of Scenes; nil for any other name.
func Scene(name string, seed uint64) []Job {
	r := rand.New(rand.NewPCG(seed, 3))
	at := city.Anywhere(r)
	call := func(n int, theme, lang string, kind wire.CallKind, after time.Duration) Call {
		return Call{
			At: after, N: n, Theme: theme, Lang: lang, Kind: kind, Where: city.Address{Spot: city.Near(r, at.Spot, 40), KK: at.KK, RU: at.RU}, Walks: true,
			Talk: 150 * time.Second, Patience: 5 * time.Minute,
		}
	}
	about := func(n int, theme, lang string, after time.Duration) Report {
		t, _ := ThemeOf(theme)
		return Report{At: after, N: n, Theme: theme, Lang: lang, Text: Line(t, lang, n%len(t.Says[lang])), Where: at, From: city.Near(r, at.Spot, 45), Photos: 1}
	}
	switch name {
	case "fight": // a witness calls by video, another one by voice, and a passer-by reports
		return sorted([]Job{call(1, "fight", "ru", wire.KindVideo, time.Second), call(2, "fight", "kk", wire.KindVoice, 12*time.Second), about(1, "fight", "ru", 20*time.Second)})
	case "accident":
		jobs := []Job{call(1, "accident", "kk", wire.KindVideo, time.Second), about(1, "accident", "ru", 15*time.Second), about(2, "accident", "kk", 40*time.Second)}
		for i, j := range jobs {
			if rep, ok := j.(Report); ok {
				rep.Plate = Plate(r)
				jobs[i] = rep
			}
		}
		return sorted(jobs)
	case "flood-of-calls": // twenty within a minute, of all kinds, for a centre of a few people
		var jobs []Job
		themes := []string{"accident", "fight", "medical", "theft", "noise"}
		kinds := []wire.CallKind{wire.KindVideo, wire.KindVoice, wire.KindVoice, wire.KindSilent}
		for n := 1; n <= 20; n++ {
			c := call(n, themes[n%len(themes)], Langs()[n%2], kinds[n%len(kinds)], time.Duration(n)*3*time.Second)
			c.Where, c.Talk, c.Types = city.Anywhere(r), 45*time.Second, c.Kind == wire.KindSilent
			jobs = append(jobs, c)
		}
		return jobs
	case "same-fire-10-reports":
		var jobs []Job
		for n := 1; n <= 10; n++ {
			jobs = append(jobs, about(n, "fire", Langs()[n%2], time.Duration(n)*4*time.Second))
		}
		return jobs
	case "lost-skier": // beyond the river, nowhere near a street
		c := call(1, "lost", "ru", wire.KindVideo, time.Second)
		c.Where = city.Address{Spot: city.Spot{Lat: 54.9127, Lon: 69.0612}, KK: "орман", RU: "лес"}
		c.Talk = 4 * time.Minute
		return []Job{c}
	case "silent-caller":
		c := call(1, "domestic", "kk", wire.KindSilent, time.Second)
		c.Types, c.Walks = true, false
		return []Job{c}
	}
	return nil
}
