package wire

import "jedel/internal/fault"

// samples has one lifelike body per message; `go test -update` writes them to testdata.
func samples() []Body {
	const call, client, staff, file = "1gq3x0c7m5k2v8n4t6r9w0b2d4", "2hr4y1d8n6m3w9p5v7s0x1c3e5", "3js5z2e9p7n4x0q6w8t1y2d4f6", "4kt6a3f0q8p5y1r7x9v2z3e5g7"
	heading, speed := 90.0, 1.4
	fix := Fix{Lat: 54.8753, Lon: 69.1628, AccuracyM: 12, Heading: &heading, SpeedMps: &speed, Source: "device", ClientMs: 1795424400000, ServerMs: 1795424400120}
	sent := fix
	sent.ServerMs = 0
	rec := Recording{State: "recording", LagMs: 240}
	chat := ChatItem{ID: "c1", Seq: 3, From: "caller", Text: "Абай 24, үшінші кіреберіс", AtMs: 1795424402000}
	photo := ChatItem{ID: "c2", Seq: 4, From: "caller", Text: "", AtMs: 1795424403000,
		File: &FileRef{File: file, Mime: "image/jpeg", Name: "photo.jpg", Bytes: 482133, Width: 1920, Height: 1080, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}}
	view := CallView{Call: call, Ref: "r-7f3k", Number: "26-000123", Kind: KindVideo, Phase: PhaseQueued, Rev: 1, Ahead: 2, CreatedMs: 1795424400000,
		SinceMs: 1795424400000, Contact: Contact{}, Recording: rec, Chat: []ChatItem{chat}}
	spoken := view
	spoken.Phase, spoken.Ahead, spoken.Operator, spoken.OpMic, spoken.Guests = PhaseTalking, 0, "Айгүл С.", true, []Companion{{Name: "П-14", As: "patrol"}}
	caller := CallerCard{Name: "Нұрлан А.", Phone: "+77015551212", Proof: "sms", Lang: "kk", Earlier: 2, EarlierMs: 1795000000000, Registered: true}
	media := MediaState{Mic: DeviceOn, Camera: DeviceOff, Link: true, Connected: true}
	quality := Quality{Word: "good", LossUp: 0.004, LossDown: 0.001, RTTMs: 48, FPS: 24, Network: "4g", Way: "udp", AtMs: 1795424405000}
	me := OperatorRow{Staff: staff, Name: "Айгүл С.", State: DutyReady, SinceMs: 1795424000000}
	state := ConsoleState{Rev: 7, Me: me, Waiting: []WaitingRow{{Call: call, Number: "26-000123", Kind: KindVideo, Priority: 2, SinceMs: 1795424400000,
		Name: "Нұрлан А.", Place: "Абай 24", Fix: &fix, Mic: DeviceOn, Camera: DeviceAsking}}, Operators: []OperatorRow{me},
		CallBacks: []CallBackRow{{Call: call, Number: "26-000120", Kind: KindVoice, Phone: "+77015551313", Name: "", Reason: "dropped", SinceMs: 1795423000000}},
		Target:    ServiceTargets{AnswerS: 15, AnsweredShare: 0.96, AnsweredToday: 51, MissedToday: 2}}
	card := CallCard{Call: call, Number: "26-000123", Kind: KindVideo, Phase: PhaseTalking, Rev: 4, Priority: 2, CreatedMs: 1795424400000, AnsweredMs: 1795424406000,
		SinceMs: 1795424406000, Caller: caller, Media: media, Track: []Fix{fix}, Chat: []ChatItem{chat, photo}, Note: "пышақ", NoteRev: 2, Recording: rec, Quality: quality}
	offer := OfferMade{Call: call, Epoch: 1, Number: "26-000123", Kind: KindVideo, Priority: 2, Caller: caller, SinceMs: 1795424400000, ExpiresMs: 1795424412000, Fix: &fix, Media: media}
	guests := []GuestRow{{Staff: staff, Name: "Ерлан Т.", As: "supervisor", Mode: GuestWhisper, SinceMs: 1795424410000, Link: true}}
	guest := GuestView{Call: call, Number: "26-000123", Kind: KindVideo, Phase: PhaseTalking, Rev: 6, As: "supervisor", Mode: GuestWhisper, Operator: "Айгүл С.", Guests: guests, Recording: rec}
	card.Guests = guests
	choice := []Choice{{Key: "theft", Words: fault.Text{KK: "Ұрлық", RU: "Кража", EN: "Theft"}}}
	return []Body{
		&Hello{Version: 1, Role: RoleCaller, Lang: "kk", Resume: &Resume{Client: client, Key: "k-3f9a"}, Agent: "jedel-web/1"},
		&Welcome{Client: client, Key: "k-3f9a", Version: 1, NowMs: 1795424400000, ICEServers: []ICEServer{}, Staff: &StaffSelf{Staff: staff, Name: "Айгүл С.", Roles: []string{"operator"}},
			Centre:  Centre{Name: fault.Text{KK: "Петропавл полициясы", RU: "Полиция Петропавловска", EN: "Petropavl police"}, Phone: "102", Lat: 54.8753, Lon: 69.1628},
			Console: &ConsoleInit{State: state, Card: &card, Categories: choice, Outcomes: choice, Pauses: choice}},
		&Ping{}, &Pong{NowMs: 1795424400000}, &OK{},
		&Error{Code: fault.OfferExpired, Op: "offer.accept", Words: fault.Words(fault.OfferExpired)},
		&MediaOffer{PC: "pc-1", SDP: "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n..."}, &MediaAnswer{PC: "pc-1", SDP: "v=0\r\no=- 3 2 IN IP4 0.0.0.0\r\n..."},
		&MediaCandidate{PC: "pc-1", Candidate: "candidate:1 1 udp 2122260223 192.0.2.7 51472 typ host", Mid: "0"},
		&MediaStatus{Mic: DeviceOn, Camera: DeviceDenied, Rung: RungAudio}, &MediaLost{PC: "pc-1", Reason: "idle"},
		&CallCreate{Ref: "r-7f3k", Kind: KindVideo, Contact: &Contact{Name: "Нұрлан", Phone: "+77015551212"}, Fix: &sent}, &CallCreated{View: view},
		&CallEnd{Call: call}, &ContactSet{Call: call, Contact: Contact{Name: "Нұрлан", Phone: "+77015551212"}}, &CallState{View: spoken},
		&CallRecording{Call: call, Recording: rec}, &CameraRequested{Call: call}, &PositionRequested{Call: call},
		&PositionReport{Call: call, ID: "p1", Fix: sent}, &PositionMoved{Call: call, Fix: fix},
		&ChatSend{Call: call, ID: "c1", Text: "Абай 24, үшінші кіреберіс"}, &ChatSent{ID: "c1", AtMs: 1795424402000, Seq: 3}, &ChatPosted{Call: call, Item: chat},
		&QualityReport{Call: call, RTTMs: 48, LossDown: 0.001, Concealed: 0.002, JitterMs: 4, FPS: 24, Transport: "udp", Network: "4g"}, &QualityChanged{Call: call, Quality: quality},
		&DutySet{State: DutyPause, Reason: "meal"}, &state, &offer, &OfferWithdrawn{Call: call, Epoch: 1, Why: "taken", By: "Сәуле М."},
		&OfferAccept{Call: call, Epoch: 1}, &OfferReject{Call: call, Epoch: 1, Reason: "busy"}, &CallCardNews{Card: card}, &CallHold{Call: call, On: true},
		&CallTransfer{Call: call, To: staff}, &CallWrapUp{Call: call, Category: "theft", Outcome: "patrol"}, &CallBackDone{Call: call, Outcome: "reached"},
		&CameraRequest{Call: call}, &PositionRequest{Call: call}, &NoteSave{Call: call, Text: "пышақ", Base: 1}, &NoteSaved{Rev: 2}, &CaseNews{Case: call, Number: "26-000001", Version: 2, Lane: "report", Status: "in_work", Priority: 3, Owner: call, Unit: "center"},
		&PatrolsMoved{Patrols: []PatrolRow{
			{Patrol: staff, Name: "П-14", Unit: "center", State: "en_route", Case: call, Number: "26-000001", SinceMs: 1795424400000, Lat: &fix.Lat, Lon: &fix.Lon, AccuracyM: 8, FixMs: 1795424410000},
			{Patrol: client, Name: "П-06", Unit: "center", State: "off", SinceMs: 1795424405000},
		}}, &SessionReplaced{},
		&CallJoin{Call: call, Mode: GuestListen}, &CallJoined{View: guest}, &CallMode{Call: call, Mode: GuestWhisper}, &CallLeave{Call: call}, &CallTakeOver{Call: call}, &GuestState{View: guest},
		&MediaCheck{PC: "pc-1"}, &MediaChecked{PC: "pc-1", SentMs: 12, HeardMs: -1},
		&MediaTune{PC: "pc-1", Rev: 3, RED: true, JitterMs: 200, Video: VideoThin, VideoKbps: 180, Shown: VideoOff, Why: "loss"},
		&RelayRenewed{ICEServers: []ICEServer{{URLs: []string{"turns:102.example.kz:443?transport=tcp"}, Username: "1795425000:" + client, Credential: "zLr9pXcQ"}}},
		&VoicePiece{Call: call, Note: file, From: 2048, Data: "T3B1c0hlYWQ=", End: true}, &VoiceHave{Note: file, Bytes: 2056, Done: true},
	}
}
