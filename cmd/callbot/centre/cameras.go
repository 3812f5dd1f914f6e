package centre

import (
	"context"
	"fmt"
	"sync"

	"jedel/cmd/callbot/art"
	"jedel/cmd/callbot/camera"
)

// MaxCameras is how many cameras configs/demo.yaml tells a gateway of.
const MaxCameras = 4

// CameraName is the path of the nth camera, from 1.
func CameraName(n int) string { return fmt.Sprintf("demo-%d", n) }

// cameras plays RTSP cameras until ctx ends. Without ffmpeg, or where the address is taken, there are
// none and the rest goes on.
func (p *play) cameras(ctx context.Context, wg *sync.WaitGroup) (stop func()) {
	if p.Cameras == 0 {
		return func() {}
	}
	s, err := camera.Start(p.CameraAddr, "", "")
	if err != nil {
		p.tell(nil, "cameras", "none: %v", err)
		return func() {}
	}
	for n := 1; n <= p.Cameras; n++ {
		wg.Go(func() {
			name := CameraName(n)
			file, err := p.studio.Street(ctx, name, art.Scene{Theme: "street", At: p.now(), Seed: p.Seed + uint64(n)*7, Title: "DEMO CAMERA " + fmt.Sprint(n)})
			if err == nil && ctx.Err() == nil {
				p.tell(nil, name, "shows rtsp://%s/%s", s.Addr(), name)
				err = s.Show(ctx, "/"+name, "-re", "-stream_loop", "-1", "-i", file, "-c:v", "copy")
			}
			if err != nil && ctx.Err() == nil {
				p.tell(nil, name, "is off: %v", err)
			}
		})
	}
	return s.Close
}
