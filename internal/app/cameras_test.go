package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	played "jedel/cmd/callbot/camera"
	"jedel/internal/config"
	"jedel/internal/ident"
	"jedel/signaling/wire"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
)

// looker is a console that looks at a camera, played by Pion: it counts pictures and keeps them.
type looker struct {
	mu     sync.Mutex // guards the rest
	stream []byte     // Annex B
	pics   int
}

func (l *looker) receive(track *webrtc.TrackRemote) {
	var d codecs.H264Packet
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		b, err := d.Unmarshal(p.Payload)
		if err != nil {
			return
		}
		l.mu.Lock()
		l.stream = append(l.stream, b...)
		if p.Marker {
			l.pics++
		}
		l.mu.Unlock()
	}
}

func (l *looker) pictures() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pics
}

// look offers by WHEP and returns the viewer's address.
func (g *gateway) look(l *looker, camera string, auth http.Header) string {
	g.t.Helper()
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	var m webrtc.MediaEngine
	if err := m.RegisterDefaultCodecs(); err != nil {
		g.t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(&m)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = pc.Close() })
	pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { l.receive(t) })
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		g.t.Fatal(err)
	}
	o, err := pc.CreateOffer(nil)
	if err != nil {
		g.t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(o); err != nil {
		g.t.Fatal(err)
	}
	<-gathered
	req, err := http.NewRequestWithContext(g.t.Context(), "POST", g.url+"/api/v1/cameras/"+camera+"/whep", strings.NewReader(pc.LocalDescription().SDP))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header = auth.Clone()
	req.Header.Set("Content-Type", "application/sdp")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusCreated {
		g.t.Fatal(res.StatusCode, string(answer), err)
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}); err != nil {
		g.t.Fatal(err)
	}
	return res.Header.Get("Location")
}

// withCamera runs a gateway with one real RTSP camera, "yard".
func withCamera(t *testing.T) *gateway {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatal("ffmpeg is needed to feed the camera: apt install ffmpeg (make test does)")
	}
	s, err := played.Start("127.0.0.1:0", "watch", "open sesame")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Show(ctx, "/yard", played.Picture("320x240", 15)...) }()
	t.Cleanup(func() { cancel(); <-done })
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lat, lon := 54.9, 69.2
	g := startGateway(t, func(c *config.Config) {
		name := config.Text{KK: "Аула", RU: "Двор", EN: "Yard"}
		c.Cameras.Linger = time.Second
		c.Cameras.List = []config.Camera{{ID: "yard", Name: name, URL: "rtsp://" + s.Addr() + "/yard", Login: "watch", PasswordFile: file, Lat: &lat, Lon: &lon}}
	})
	g.until("ffmpeg shows nothing", func() bool { return s.Shows("/yard") })
	return g
}

func TestCameraIsSeenThroughTheGateway(t *testing.T) {
	t.Parallel()
	g := withCamera(t)
	auth := g.as("operator")
	rows := g.ask("GET /api/v1/cameras?lat=54.8753&lon=69.1628", 200, auth, "")["cameras"].([]any)
	row := rows[0].(map[string]any)
	if d := row["distanceM"].(float64); row["state"] != "idle" || d < 3500 || d > 3800 {
		t.Errorf("%v", row)
	}
	var first, late looker
	at := g.look(&first, "yard", auth)
	g.until("no pictures", func() bool { return first.pictures() >= 20 })
	begun := time.Now()
	g.look(&late, "yard", auth)
	g.until("nothing for a late one", func() bool { return late.pictures() >= 1 })
	t.Logf("first picture of a live camera after %v", time.Since(begun))
	g.until("no pictures for a late one", func() bool { return late.pictures() >= 20 })
	row = g.ask("GET /api/v1/cameras", 200, auth, "")["cameras"].([]any)[0].(map[string]any)
	if row["state"] != "live" || row["viewers"] != 2.0 || row["width"] != 320.0 {
		t.Errorf("%v", row)
	}
	for _, l := range []*looker{&first, &late} {
		l.mu.Lock()
		cmd := exec.Command("ffmpeg", "-v", "error", "-xerror", "-f", "h264", "-i", "-", "-vf", "scale=4:4,format=gray", "-frames:v", "10", "-f", "rawvideo", "-")
		cmd.Stdin = bytes.NewReader(l.stream)
		l.mu.Unlock()
		if out, err := cmd.Output(); err != nil || len(out) != 160 || bytes.Count(out, out[:1]) == len(out) {
			t.Errorf("ffmpeg: %v, %d bytes of pictures", err, len(out))
		}
	}
	g.ask("DELETE /api/v1/cameras/{camera}/whep/{viewer}", 204, auth, "", "{camera}", "yard", "{viewer}", at[strings.LastIndex(at, "/")+1:])
	g.ask("DELETE /api/v1/cameras/{camera}/whep/{viewer}", 404, auth, "", "{camera}", "yard", "{viewer}", at[strings.LastIndex(at, "/")+1:])
	n := first.pictures()
	g.until("it does not end", func() bool {
		row := g.ask("GET /api/v1/cameras", 200, auth, "")["cameras"].([]any)[0].(map[string]any)
		return row["viewers"] == 1.0
	})
	if d := first.pictures() - n; d > 30 {
		t.Errorf("%d pictures after the end", d)
	}
}

func TestClipIsKeptInTheArchiveOfItsCall(t *testing.T) {
	t.Parallel()
	g := withCamera(t)
	auth := g.as("operator")
	token := strings.TrimPrefix(auth.Get("Authorization"), "Bearer ")
	desk := g.tab(wire.RoleConsole, token)
	desk.ask(&wire.DutySet{State: "ready"})
	caller := g.tab(wire.RoleCaller, "")
	made := caller.ask(&wire.CallCreate{Ref: "r1", Kind: wire.KindVoice}).(*wire.CallCreated)
	o := desk.offer()
	desk.ask(&wire.OfferAccept{Call: o.Call, Epoch: o.Epoch})
	clip := string(ident.New[ident.FileID]())
	body := fmt.Sprintf(`{"id":%q,"recording":%q,"backS":0,"seconds":3}`, clip, made.View.Call)
	one := []string{"{camera}", "yard", "{clip}", clip}
	g.ask("POST /api/v1/cameras/{camera}/clips", 202, auth, body, one...)
	g.ask("POST /api/v1/cameras/{camera}/clips", 202, auth, body, one...)
	g.ask("POST /api/v1/cameras/{camera}/clips", 404, auth, strings.Replace(body, made.View.Call, string(ident.New[ident.CallID]()), 1), one...)
	g.ask("POST /api/v1/cameras/{camera}/clips", 400, auth, `{"id":"x","recording":"y","backS":0,"seconds":3}`, one...)
	g.ask("POST /api/v1/cameras/{camera}/clips", 403, g.as("investigator"), body, one...)
	g.ask("DELETE /api/v1/cameras/{camera}/clips/{clip}", 403, g.as("supervisor"), "", one...)
	var st map[string]any
	g.until("it is not kept", func() bool {
		st = g.ask("GET /api/v1/cameras/{camera}/clips/{clip}", 200, auth, "", one...)
		return st["state"] != "taking" && st["state"] != "keeping"
	})
	if st["state"] != "kept" || st["keptIn"] != made.View.Call {
		t.Fatal(st)
	}
	g.ask("DELETE /api/v1/cameras/{camera}/clips/{clip}", 409, auth, "", one...)
	if list := g.ask("GET /api/v1/clips?recording="+made.View.Call, 200, auth, "")["clips"].([]any); len(list) != 1 {
		t.Error(list)
	}
	var file bytes.Buffer
	g.until("it cannot be read back", func() bool {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", g.url+"/api/v1/calls/"+made.View.Call+"/files/"+clip, nil)
		req.Header = auth
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer res.Body.Close()
		file.Reset()
		_, err = file.ReadFrom(res.Body)
		return err == nil && res.StatusCode == http.StatusOK
	})
	sum := sha256.Sum256(file.Bytes())
	if hex.EncodeToString(sum[:]) != st["sha256"] {
		t.Error("the archive has other bytes")
	}
}
