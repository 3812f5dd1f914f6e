// Package camera plays RTSP cameras: a server that shows what ffmpeg draws. Each path is one
// camera; it is there while its ffmpeg runs.
package camera

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"
)

// Server serves the cameras. Make it with Start.
type Server struct {
	srv             *gortsplib.Server
	listener        net.Listener
	login, password string // of those who look; empty: nobody is asked

	mu     sync.Mutex // guards the rest
	shows  map[string]*show
	opened int
}

// show is one camera that is on.
type show struct {
	stream *gortsplib.ServerStream
	from   *gortsplib.ServerSession
}

// Start serves on addr (host:port). With a login, those who look must know it.
func Start(addr, login, password string) (*Server, error) {
	s := &Server{login: login, password: password, shows: map[string]*show{}}
	s.srv = &gortsplib.Server{Handler: s, RTSPAddress: addr, Listen: func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		s.listener = l
		return l, err
	}}
	return s, s.srv.Start()
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close ends the server and everybody on it.
func (s *Server) Close() { s.srv.Close() }

// Opened is how often somebody has begun to look at a camera.
func (s *Server) Opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// Break ends the connections of everybody at one camera, as if its plug were pulled.
func (s *Server) Break(path string) {
	s.mu.Lock()
	sh := s.shows[path]
	delete(s.shows, path)
	s.mu.Unlock()
	if sh != nil {
		sh.stream.Close()
		sh.from.Close()
	}
}

// Picture is what a camera shows where nothing else is said: a moving test picture, H.264 baseline
// with a key frame each second.
func Picture(size string, rate int) []string {
	return []string{
		"-re", "-f", "lavfi", "-i", fmt.Sprintf("testsrc=size=%s:rate=%d", size, rate),
		"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", fmt.Sprint(rate), "-b:v", "600k",
	}
}

// endTime is how long ffmpeg may take to end.
const endTime = 3 * time.Second

// Show lets ffmpeg publish at path (such as "/yard") what args draw, until ctx ends or ffmpeg does.
func (s *Server) Show(ctx context.Context, path string, args ...string) error {
	var said strings.Builder
	full := append([]string{"-nostdin", "-v", "error"}, args...)
	cmd := exec.CommandContext(ctx, "ffmpeg", append(full, "-an", "-f", "rtsp", "-rtsp_transport", "tcp", "rtsp://"+s.Addr()+path)...)
	cmd.Stderr, cmd.WaitDelay = &said, endTime
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("ffmpeg: %w: %s", errors.Join(err, errEnded), said.String())
}

var errEnded = errors.New("it has ended")

// Shows reports whether there is something to see at path.
func (s *Server) Shows(path string) bool { return s.at(path) != nil }

func (s *Server) at(path string) *gortsplib.ServerStream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh := s.shows[path]; sh != nil {
		return sh.stream
	}
	return nil
}

// allowed asks who looks for login and password.
func (s *Server) allowed(c *gortsplib.ServerConn, r *base.Request) bool {
	return s.login == "" || c.VerifyCredentials(r, s.login, s.password)
}

func only(code base.StatusCode) *base.Response { return &base.Response{StatusCode: code} }

// OnDescribe implements gortsplib.ServerHandlerOnDescribe.
func (s *Server) OnDescribe(c *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if !s.allowed(c.Conn, c.Request) {
		return only(base.StatusUnauthorized), nil, liberrors.ErrServerAuth{}
	}
	stream := s.at(c.Path)
	if stream == nil {
		return only(base.StatusNotFound), nil, nil
	}
	return only(base.StatusOK), stream, nil
}

// OnAnnounce implements gortsplib.ServerHandlerOnAnnounce: whoever is on this machine may publish.
func (s *Server) OnAnnounce(c *gortsplib.ServerHandlerOnAnnounceCtx) (*base.Response, error) {
	host, _, err := net.SplitHostPort(c.Conn.NetConn().RemoteAddr().String())
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return only(base.StatusForbidden), nil
	}
	stream := &gortsplib.ServerStream{Server: s.srv, Desc: c.Description}
	if err := stream.Initialize(); err != nil {
		return only(base.StatusBadRequest), err
	}
	s.Break(c.Path)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shows[c.Path] = &show{stream, c.Session}
	return only(base.StatusOK), nil
}

// OnSetup implements gortsplib.ServerHandlerOnSetup.
func (s *Server) OnSetup(c *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if c.Session.State() == gortsplib.ServerSessionStatePreRecord {
		return only(base.StatusOK), nil, nil
	}
	if !s.allowed(c.Conn, c.Request) {
		return only(base.StatusUnauthorized), nil, liberrors.ErrServerAuth{}
	}
	stream := s.at(c.Path)
	if stream == nil {
		return only(base.StatusNotFound), nil, nil
	}
	return only(base.StatusOK), stream, nil
}

// OnPlay implements gortsplib.ServerHandlerOnPlay.
func (s *Server) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened++
	return only(base.StatusOK), nil
}

// OnRecord implements gortsplib.ServerHandlerOnRecord.
func (s *Server) OnRecord(c *gortsplib.ServerHandlerOnRecordCtx) (*base.Response, error) {
	stream := s.at(c.Path)
	if stream == nil {
		return only(base.StatusNotFound), nil
	}
	c.Session.OnPacketRTPAny(func(m *description.Media, _ format.Format, p *rtp.Packet) {
		_ = stream.WritePacketRTP(m, p) // whoever looks no longer needs it
	})
	return only(base.StatusOK), nil
}

// OnSessionClose implements gortsplib.ServerHandlerOnSessionClose: a camera whose ffmpeg is gone is off.
func (s *Server) OnSessionClose(c *gortsplib.ServerHandlerOnSessionCloseCtx) {
	s.mu.Lock()
	var over *gortsplib.ServerStream
	for path, sh := range s.shows {
		if sh.from == c.Session {
			over = sh.stream
			delete(s.shows, path)
		}
	}
	s.mu.Unlock()
	if over != nil {
		over.Close()
	}
}
