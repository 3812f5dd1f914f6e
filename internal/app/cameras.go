package app

import (
	"context"
	"math"

	"jedel/internal/cameras"
	"jedel/internal/config"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/media"
	"jedel/signaling"
	"jedel/signaling/wire"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// watch joins the cameras with those who look at them.
type watch struct {
	set   *cameras.Set
	relay *media.Relay
	clips clips

	relays func(signaling.Who) []wire.ICEServer
}

func (a *App) newWatch(reg prometheus.Registerer) (watch, error) {
	cfg, err := cameraConfig(a.cfg.Cameras)
	if err != nil {
		return watch{}, err
	}
	relay := media.NewRelay(a.node, media.RelayConfig{MaxViewers: a.cfg.Cameras.Viewers, PerSource: a.cfg.Cameras.PerCamera}, reg)
	set := cameras.New(cfg, func() cameras.Screen { return relay.NewSource() }, reg, a.log)
	made := clips{a: a}
	made.make = cameras.NewClips(set, made, a.log)
	return watch{set, relay, made, a.iceServers}, nil
}

func cameraConfig(c config.Cameras) (cameras.Config, error) {
	out := cameras.Config{Linger: c.Linger, Past: c.Past}
	for _, cam := range c.List {
		password, err := cam.Password()
		if err != nil {
			return out, err
		}
		one := cameras.Camera{
			ID: cam.ID, Name: text(cam.Name), URL: cam.URL, Login: cam.Login, Password: password, Heading: cam.Heading, Always: cam.Always,
		}
		if cam.Lat != nil && cam.Lon != nil {
			one.Lat, one.Lon, one.Placed = *cam.Lat, *cam.Lon, true
		}
		out.Cameras = append(out.Cameras, one)
	}
	return out, nil
}

// run reads cameras and shows them until ctx ends.
func (w watch) run(ctx context.Context) {
	var all errgroup.Group
	for _, part := range []func(context.Context) error{w.relay.Run, w.set.Run, w.clips.make.Run} {
		all.Go(func() error { return part(ctx) })
	}
	_ = all.Wait() // none ends with an error
}

// List implements signaling.Cameras.
func (w watch) List(near *signaling.Place) []signaling.CameraRow {
	var at *cameras.Point
	if near != nil {
		at = &cameras.Point{Lat: near.Lat, Lon: near.Lon}
	}
	var out []signaling.CameraRow
	for _, r := range w.set.List(at) {
		name := string(r.Code)
		if name == "" {
			name = string(r.Phase)
		}
		words, _ := cameras.Words(name)
		row := signaling.CameraRow{
			Camera: r.ID, Name: signaling.Words(r.Name), State: string(r.Phase), Code: string(r.Code), Words: signaling.Words(words), Codec: r.Codec,
			SinceMs: r.Since.UnixMilli(), Width: r.Width, Height: r.Height, Viewers: r.Viewers, HeadingDeg: r.Heading,
		}
		if r.Placed {
			row.At = &signaling.Place{Lat: r.Lat, Lon: r.Lon}
		}
		if !math.IsNaN(r.DistanceM) {
			d := math.Round(r.DistanceM)
			row.DistanceM = &d
		}
		out = append(out, row)
	}
	return out
}

// View implements signaling.Cameras. The camera connects while the browser does.
func (w watch) View(ctx context.Context, who signaling.Who, camera, offer string) (signaling.View, error) {
	screen, err := w.set.Screen(camera)
	if err != nil {
		return signaling.View{}, err
	}
	source, ok := screen.(*media.Source)
	if !ok {
		panic("bug: a screen that newWatch did not make")
	}
	v, answer, err := w.relay.View(ctx, source, offer)
	if err != nil {
		return signaling.View{}, err
	}
	w.set.Wake(camera)
	who.Client = ident.ClientID(v.ID()) // relayed addresses are counted by client: each viewer has its own
	return signaling.View{Viewer: v.ID(), Answer: answer, Relays: w.relays(who)}, nil
}

// Leave implements signaling.Cameras.
func (w watch) Leave(camera, viewer string) error {
	source, id, err := w.viewer(camera, viewer)
	if err != nil {
		return err
	}
	if !w.relay.End(source, id) {
		return fault.New(fault.NotFound, "camera.leave", nil)
	}
	return nil
}

// Looks implements signaling.Cameras.
func (w watch) Looks(camera, viewer string) bool {
	source, id, err := w.viewer(camera, viewer)
	return err == nil && w.relay.Looks(source, id)
}

// viewer finds what a viewer's address names; whether it is there is for the relay to say.
func (w watch) viewer(camera, viewer string) (*media.Source, ident.ClientID, error) {
	const op = "camera.viewer"
	screen, err := w.set.Screen(camera)
	if err != nil && fault.CodeOf(err) != fault.CameraUnfit {
		return nil, "", err
	}
	id, err := ident.Parse[ident.ClientID](viewer)
	source, ok := screen.(*media.Source)
	if err != nil || !ok {
		return nil, "", fault.New(fault.NotFound, op, err)
	}
	return source, id, nil
}
