// Package art draws what citizens photograph and film: streets of blocks of flats under the sky of the
// hour, with what the report is about. Every seed makes another picture. It is pure.
package art

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// Scene is what is to be seen.
type Scene struct {
	Theme string // of package day
	Plate string
	At    time.Time // of the place, for the light
	Seed  uint64
	Title string // written below; empty: the time
}

// picture is a canvas with its measures.
type picture struct {
	*image.RGBA
	w, h int
	r    *rand.Rand
}

// Draw draws the moment t seconds into the scene.
func (s Scene) Draw(w, h int, t float64) *image.RGBA {
	p := picture{image.NewRGBA(image.Rect(0, 0, w, h)), w, h, rand.New(rand.NewPCG(s.Seed, 4))}
	light := daylight(s.At)
	p.sky(light)
	p.houses(light)
	p.ground(light)
	switch s.Theme {
	case "fire":
		p.fire(t)
	case "accident":
		p.car(0.36, 0.78, s.Plate, p.paint(), -1)
		p.car(0.60, 0.80, "", p.paint(), 1)
		p.lamps(t)
	case "parking", "red_light", "driving":
		x := 0.5
		if s.Theme != "parking" {
			x = math.Mod(0.2+t*0.12, 1.2) - 0.1
		}
		p.car(x, 0.80, s.Plate, p.paint(), 1)
		if s.Theme == "red_light" {
			p.signal()
		}
	case "road":
		p.hole()
	case "lost":
		p.forest(light)
	case "street": // what a camera sees: cars come and go, whole rounds in twelve seconds
		for i := range 3 {
			p.car(math.Mod(float64(i)*0.45+t/12*1.35, 1.35)-0.18, 0.78+0.05*float64(i%2), "", p.paint(), 1)
		}
		p.people(2, t*math.Pi/6, false)
	default:
		p.people(2+p.r.IntN(4), t, s.Theme == "fight")
	}
	if s.Title != "" {
		p.words(6, h-8, s.Title, color.RGBA{255, 255, 210, 255}, max(1, w/640))
		return p.RGBA
	}
	p.words(6, h-8, s.At.Add(time.Duration(t*float64(time.Second))).Format("2006-01-02 15:04:05"), color.RGBA{255, 255, 210, 255}, max(1, w/640))
	return p.RGBA
}

// daylight is how light it is, 0 to 1: dark before eight and after six in a winter of the north.
func daylight(t time.Time) float64 {
	h := float64(t.Hour()) + float64(t.Minute())/60
	return min(1, max(0.12, 1.25*math.Sin((h-7)/11*math.Pi)))
}

func shade(c color.RGBA, light float64) color.RGBA {
	return color.RGBA{uint8(float64(c.R) * light), uint8(float64(c.G) * light), uint8(float64(c.B) * light), 255}
}

func (p picture) box(x0, y0, x1, y1 float64, c color.Color) {
	r := image.Rect(int(x0*float64(p.w)), int(y0*float64(p.h)), int(x1*float64(p.w)), int(y1*float64(p.h)))
	draw.Draw(p, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// disc has its radius in parts of the height.
func (p picture) disc(x, y, radius float64, c color.RGBA) {
	cx, cy, rr := x*float64(p.w), y*float64(p.h), radius*float64(p.h)
	for py := max(0, int(cy-rr)); py <= min(p.h-1, int(cy+rr)); py++ {
		for px := max(0, int(cx-rr)); px <= min(p.w-1, int(cx+rr)); px++ {
			if math.Hypot(float64(px)-cx, float64(py)-cy) <= rr {
				p.SetRGBA(px, py, c)
			}
		}
	}
}

func (p picture) sky(light float64) {
	for y := range p.h * 6 / 10 {
		part := float64(y) / (float64(p.h) * 0.6)
		c := shade(color.RGBA{uint8(110 + 90*part), uint8(150 + 60*part), uint8(215 + 20*part), 255}, light)
		draw.Draw(p, image.Rect(0, y, p.w, y+1), image.NewUniform(c), image.Point{}, draw.Src)
	}
}

// houses are blocks of flats with lit windows, more of them in the dark.
func (p picture) houses(light float64) {
	for x := -0.05; x < 1; {
		wide, high := 0.14+0.16*p.r.Float64(), 0.22+0.22*p.r.Float64()
		tone := uint8(120 + p.r.IntN(80))
		p.box(x, 0.6-high, x+wide, 0.62, shade(color.RGBA{tone, tone - uint8(p.r.IntN(30)), tone - uint8(20+p.r.IntN(40)), 255}, light))
		for wx := x + 0.015; wx < x+wide-0.02; wx += 0.028 {
			for wy := 0.6 - high + 0.025; wy < 0.57; wy += 0.05 {
				c := shade(color.RGBA{90, 110, 130, 255}, light)
				if p.r.Float64() > light*0.9+0.08 {
					c = color.RGBA{250, 215, 120, 255}
				}
				p.box(wx, wy, wx+0.016, wy+0.028, c)
			}
		}
		x += wide + 0.02
	}
}

func (p picture) ground(light float64) {
	p.box(0, 0.6, 1, 0.70, shade(color.RGBA{228, 232, 240, 255}, max(light, 0.35))) // snow
	p.box(0, 0.70, 1, 0.92, shade(color.RGBA{92, 92, 98, 255}, max(light, 0.4)))
	for x := 0.02; x < 1; x += 0.14 {
		p.box(x, 0.805, x+0.07, 0.815, color.RGBA{220, 220, 220, 255})
	}
	p.box(0, 0.92, 1, 1, shade(color.RGBA{200, 205, 214, 255}, max(light, 0.35)))
}

func (p picture) paint() color.RGBA {
	all := []color.RGBA{{190, 40, 40, 255}, {40, 80, 170, 255}, {230, 230, 232, 255}, {40, 44, 48, 255}, {70, 120, 80, 255}, {190, 160, 60, 255}}
	return all[p.r.IntN(len(all))]
}

// car stands with its wheels at y and looks to the left or the right.
func (p picture) car(x, y float64, plate string, c color.RGBA, look float64) {
	p.box(x-0.15, y-0.085, x+0.15, y-0.005, c)
	p.box(x-0.09, y-0.15, x+0.08, y-0.085, shade(c, 0.8))
	p.box(x-0.075, y-0.14, x+0.065, y-0.09, color.RGBA{150, 180, 200, 255})
	p.disc(x-0.09, y, 0.032, color.RGBA{20, 20, 20, 255})
	p.disc(x+0.09, y, 0.032, color.RGBA{20, 20, 20, 255})
	p.box(x+look*0.15-0.012, y-0.07, x+look*0.15+0.012, y-0.045, color.RGBA{255, 240, 180, 255})
	if plate != "" {
		p.box(x-0.095, y-0.06, x+0.095, y-0.012, color.RGBA{250, 250, 250, 255})
		p.words(int((x-0.088)*float64(p.w)), int((y-0.02)*float64(p.h)), plate, color.RGBA{10, 10, 10, 255}, max(1, p.w/640))
	}
}

// lamps blink as those of a car that has stopped.
func (p picture) lamps(t float64) {
	if math.Mod(t, 1) < 0.5 {
		p.disc(0.23, 0.72, 0.015, color.RGBA{255, 160, 30, 255})
		p.disc(0.74, 0.74, 0.015, color.RGBA{255, 160, 30, 255})
	}
}

func (p picture) signal() {
	p.box(0.82, 0.40, 0.828, 0.7, color.RGBA{50, 50, 50, 255})
	p.box(0.80, 0.38, 0.85, 0.56, color.RGBA{30, 30, 30, 255})
	for i, c := range []color.RGBA{{240, 40, 30, 255}, {80, 70, 20, 255}, {20, 60, 30, 255}} {
		p.disc(0.825, 0.41+0.055*float64(i), 0.02, c)
	}
}

// fire burns on a roof; its flames and smoke move.
func (p picture) fire(t float64) {
	x := 0.35 + 0.3*p.r.Float64()
	p.box(x-0.14, 0.34, x+0.14, 0.62, color.RGBA{120, 84, 66, 255})
	for i := range 9 {
		up := math.Mod(t*0.12+float64(i)*0.11, 1)
		grey := uint8(60 + 60*up)
		p.disc(x+0.05*math.Sin(t+float64(i)*2)+0.16*up, 0.33-0.33*up, 0.03+0.06*up, color.RGBA{grey, grey, grey, 255})
	}
	for i := range 12 {
		high := 0.05 + 0.05*math.Abs(math.Sin(3*t+float64(i)*1.7))
		fx := x - 0.12 + 0.022*float64(i)
		p.disc(fx, 0.34-high/2, high/2, color.RGBA{235, 90, 20, 255})
		p.disc(fx, 0.345-high/4, high/4, color.RGBA{255, 210, 70, 255})
	}
}

// people stand about; in a fight they do not stand still.
func (p picture) people(n int, t float64, fight bool) {
	for i := range n {
		x, y := 0.2+0.6*p.r.Float64(), 0.86+0.06*p.r.Float64()
		c := p.paint()
		if fight {
			x, y = 0.42+0.06*float64(i)+0.03*math.Sin(4*t+float64(i)*2), y+0.01*math.Sin(7*t+float64(i))
		}
		arm := 0.05 * math.Sin(2*t+float64(i))
		if fight {
			arm = 0.08 * math.Sin(8*t+float64(i)*3)
		}
		p.box(x-0.012, y-0.16, x+0.012, y-0.07, c)
		p.box(x-0.010, y-0.07, x-0.002, y, color.RGBA{30, 34, 50, 255})
		p.box(x+0.002, y-0.07, x+0.010, y, color.RGBA{30, 34, 50, 255})
		p.box(x+0.010, y-0.14+min(arm, 0), x+0.045, y-0.12+min(arm, 0), c)
		p.disc(x, y-0.19, 0.028, color.RGBA{222, 184, 150, 255})
	}
}

func (p picture) hole() {
	for i := range 5 {
		p.disc(0.45+0.03*float64(i), 0.82+0.01*math.Sin(float64(i)), 0.05, color.RGBA{36, 34, 34, 255})
	}
	p.disc(0.52, 0.825, 0.03, color.RGBA{70, 76, 84, 255})
}

// forest stands in front of everything: nobody lives here.
func (p picture) forest(light float64) {
	p.box(0, 0, 1, 0.62, shade(color.RGBA{150, 165, 190, 255}, light))
	p.box(0, 0.6, 1, 1, shade(color.RGBA{235, 238, 245, 255}, max(light, 0.35)))
	for range 26 {
		x, foot, high := p.r.Float64(), 0.62+0.3*p.r.Float64(), 0.3+0.3*p.r.Float64()
		c := shade(color.RGBA{30, uint8(70 + p.r.IntN(40)), 45, 255}, max(light, 0.4))
		p.box(x-0.004, foot-0.06, x+0.004, foot, color.RGBA{60, 44, 30, 255})
		for i := range 14 {
			part := float64(i) / 14
			p.box(x-0.045*part, foot-0.05-high*(1-part), x+0.045*part, foot-0.05-high*(1-part)+high/14+0.004, c)
		}
	}
}

// words are written in letters of scale times 7 by 13 points.
func (p picture) words(x, y int, text string, c color.RGBA, scale int) {
	small := image.NewAlpha(image.Rect(0, 0, 7*len(text)+2, 14))
	d := font.Drawer{Dst: small, Src: image.White, Face: basicfont.Face7x13, Dot: fixed.P(0, 11)}
	d.DrawString(text)
	for py := range 14 * scale {
		for px := range (7*len(text) + 2) * scale {
			if small.AlphaAt(px/scale, py/scale).A > 127 {
				p.SetRGBA(x+px, y-11*scale+py, c)
			}
		}
	}
}
