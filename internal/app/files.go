package app

import (
	"bytes"
	"context"
	"io"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/recorder"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// files keeps what is sent within calls in their archives.
type files struct{ a *App }

// MayUse implements signaling.Files. A caller uses the files of their own call; staff those of the
// call in hand, or of any call where their role may search for it.
func (f files) MayUse(ctx context.Context, who signaling.Who, id ident.CallID) (int, error) {
	s, ok := f.a.desk.State(id)
	switch {
	case ok && who.Role == wire.RoleCaller && s.Client == who.Client:
	case ok && who.Role == wire.RoleConsole && (s.Operator == who.Staff || s.Offer != nil && s.Offer.Operator == who.Staff):
	case who.Role == wire.RoleConsole && maySearch(who.Roles):
	default:
		return 0, fault.New(fault.NoSuchCall, "files", nil)
	}
	if !ok { // over, perhaps destroyed: not even what is still in memory is shown
		if err := f.a.keeper.Gone(ctx, id); err != nil {
			return 0, err
		}
	}
	items, err := f.a.db.Items(ctx, id, 0, itemFile)
	if err != nil {
		return 0, fault.New(fault.Unavailable, "files", err)
	}
	return len(items), nil
}

// Put implements signaling.Files: the picture is durable in the archive before it has a name.
func (f files) Put(ctx context.Context, _ signaling.Who, id ident.CallID, ref wire.FileRef, raw []byte) (wire.FileRef, error) {
	const op = "files.put"
	s, ok := f.a.desk.State(id)
	c := f.a.ledger.get(id)
	if !ok || !s.Open() || c == nil {
		return ref, fault.New(fault.WrongState, op, nil)
	}
	arch := c.slot.get()
	if arch == nil {
		return ref, fault.Newf(fault.Unavailable, op, "the archive is not open")
	}
	if _, err := arch.Blob(ctx, recorder.BlobMeta{ID: ref.File, Name: ref.Name, Mime: ref.Mime}, bytes.NewReader(raw)); err != nil {
		return ref, fault.New(fault.Unavailable, op, err)
	}
	if _, _, err := f.a.ledger.put(ctx, id, itemFile, ref.File, time.Now(), ref); err != nil {
		return ref, err
	}
	c.dossier.mu.Lock()
	c.dossier.files[ref.File] = ref
	c.dossier.mu.Unlock()
	return ref, nil
}

// Get implements signaling.Files: the file is read from the archive, where else.
func (f files) Get(ctx context.Context, id ident.CallID, file ident.FileID, w io.Writer) (wire.FileRef, error) {
	const op = "files.get"
	items, err := f.a.db.Items(ctx, id, 0, itemFile, itemClip)
	if err != nil {
		return wire.FileRef{}, fault.New(fault.Unavailable, op, err)
	}
	var ref wire.FileRef
	for _, it := range items {
		if it.ID == string(file) {
			if err := into(it, func(r wire.FileRef) { ref = r }); err != nil {
				return ref, fault.New(fault.Internal, op, err)
			}
		}
	}
	if ref.File == "" {
		return ref, fault.New(fault.NoSuchFile, op, nil)
	}
	dir, err := f.a.archiveDir(ctx, id)
	if err != nil {
		return ref, err
	}
	rec, err := f.a.vault.play(ctx, opening{id, "photo", dir})
	if err != nil {
		return ref, fault.New(fault.Unavailable, op, err)
	}
	if err := rec.Blob(ref.File, w); err != nil {
		return ref, fault.New(fault.NoSuchFile, op, err)
	}
	return ref, nil
}
