package cameras

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"

	"jedel/media/h264"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"
)

// link is one RTSP connection that plays, over TCP interleaved with RTSP itself.
type link struct {
	client  *gortsplib.Client
	format  *format.H264
	packets chan *rtp.Packet // never closed; full means that we are too slow
	dropped atomic.Uint64
	over    chan error // capacity 1: why it ended
	done    chan struct{}
}

// errElsewhere refuses a camera that sends us to another address: it would get the password, and
// could let us knock at other machines.
var errElsewhere = errors.New("the camera refers to another address")

// dial connects to a camera and lets it play. Everything it does ends with ctx.
func dial(ctx context.Context, cam Camera) (*link, error) {
	u, err := base.ParseURL(cam.URL)
	if err != nil {
		return nil, &fails{code: NoStream, err: err}
	}
	if cam.Login != "" {
		u.User = url.UserPassword(cam.Login, cam.Password)
	}
	l := &link{packets: make(chan *rtp.Packet, queuePackets), over: make(chan error, 1), done: make(chan struct{})}
	l.client = newClient(u)
	if err := l.client.Start(); err != nil {
		return nil, &fails{code: Unreachable, err: err}
	}
	connected, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	stop := context.AfterFunc(connected, l.client.Close)
	err = l.play(u)
	if !stop() { // closed by the timeout, or by ctx
		err = errors.Join(&fails{code: Slow, err: connected.Err()}, ctx.Err())
	}
	if err != nil {
		l.client.Close()
		return nil, explained(err)
	}
	go func() {
		defer close(l.done)
		l.over <- l.client.Wait()
	}()
	return l, nil
}

func newClient(u *base.URL) *gortsplib.Client {
	tcp := gortsplib.ProtocolTCP
	var dialer net.Dialer
	var first atomic.Pointer[string]
	var dials atomic.Int32
	return &gortsplib.Client{
		Scheme: u.Scheme, Host: u.Host, Protocol: &tcp, ReadTimeout: answerTime, WriteTimeout: answerTime,
		UserAgent: "jedel", TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		OnPacketsLost: func(uint64) {}, OnDecodeError: func(error) {}, OnTransportSwitch: func(error) {},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if !first.CompareAndSwap(nil, &address) && *first.Load() != address || dials.Add(1) > 4 {
				return nil, &fails{code: BadStream, err: errElsewhere}
			}
			return dialer.DialContext(ctx, network, address)
		},
	}
}

// play asks what there is, takes the H.264 and starts it.
func (l *link) play(u *base.URL) error {
	desc, _, err := l.client.Describe(u)
	if err != nil {
		return err
	}
	media := desc.FindFormat(&l.format)
	if media == nil {
		return noH264(desc)
	}
	if _, err := l.client.Setup(desc.BaseURL, media, 0, 0); err != nil {
		return err
	}
	l.client.OnPacketRTP(media, l.format, func(p *rtp.Packet) {
		select {
		case l.packets <- p:
		default:
			l.dropped.Add(1) // the gap in the numbers tells the assembler
		}
	})
	_, err = l.client.Play(nil)
	return err
}

// noH264 says what the camera has in its place.
func noH264(desc *description.Session) error {
	for _, m := range desc.Medias {
		if m.Type == description.MediaTypeVideo && len(m.Formats) > 0 {
			codec := []rune(m.Formats[0].Codec())
			return &fails{code: WrongCodec, codec: string(codec[:min(len(codec), 32)])}
		}
	}
	return &fails{code: NoVideo}
}

// sets are the parameter sets that the description has.
func (l *link) sets() h264.Sets {
	sps, pps := l.format.SafeParams()
	return h264.Sets{SPS: sps, PPS: pps}
}

// close ends the connection and waits for it.
func (l *link) close() {
	l.client.Close()
	<-l.done
}

// explained gives the library's errors our codes.
func explained(err error) error {
	var f *fails
	var status liberrors.ErrClientBadStatusCode
	var sdp liberrors.ErrClientSDPInvalid
	var auth liberrors.ErrClientAuthSetup
	var slow liberrors.ErrClientRequestTimedOut
	var op *net.OpError
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &f):
		return err
	case errors.As(err, &status) && (status.Code == base.StatusUnauthorized || status.Code == base.StatusForbidden), errors.As(err, &auth):
		return &fails{code: BadLogin, err: err}
	case errors.As(err, &status) && status.Code == base.StatusNotFound:
		return &fails{code: NoStream, err: err}
	case errors.As(err, &status) && status.Code >= 500:
		return &fails{code: Unreachable, err: err}
	case errors.As(err, &slow), errors.As(err, &timeout) && timeout.Timeout():
		return &fails{code: Slow, err: err}
	case errors.As(err, &sdp):
		return &fails{code: BadStream, err: err}
	case errors.As(err, &dns), errors.As(err, &op):
		return &fails{code: Unreachable, err: err}
	}
	return &fails{code: BadStream, err: err}
}

// CheckURL refuses what is no address of a camera. Login and password do not belong in it.
func CheckURL(text string) error {
	u, err := base.ParseURL(text)
	switch {
	case err != nil:
		return errors.New("is no address such as rtsp://192.0.2.1/stream") // the cause would print it
	case u.User != nil:
		return errors.New("has login or password: they belong in login and password_file")
	case u.Scheme != "rtsp" && u.Scheme != "rtsps":
		return fmt.Errorf("%q is neither rtsp nor rtsps", u.Scheme)
	case u.Host == "":
		return errors.New("names no host")
	}
	return nil
}
