// Written by `make generate` from signaling/wire. Do not edit.

export const version = 1;

export type Role = "caller" | "console";

export interface Resume {
  client: string;
  key: string;
}

export interface Hello {
  version: number;
  role: Role;
  lang: string;
  token?: string;
  resume?: Resume;
  claim?: string;
  agent?: string;
}

export interface ICEServer {
  urls: string[];
  username?: string;
  credential?: string;
}

export interface CallerSelf {
  name: string;
  phone: string;
  iin?: string;
  medical?: string;
}

export interface StaffSelf {
  staff: string;
  name: string;
  roles: string[];
}

export type CallKind = "video" | "voice" | "silent";

export type Phase = "created" | "queued" | "offered" | "connecting" | "talking" | "hold" | "conference" | "reconnecting" | "wrapup" | "ended";

export interface Companion {
  name: string;
  as: string;
}

export interface Contact {
  name: string;
  phone: string;
}

export interface Recording {
  state: string;
  lagMs: number;
  reason?: string;
}

export interface FileRef {
  file: string;
  mime: string;
  name: string;
  bytes: number;
  width: number;
  height: number;
  sha256: string;
}

export interface ChatItem {
  id: string;
  chatSeq: number;
  from: string;
  name?: string;
  text: string;
  file?: FileRef;
  atMs: number;
}

export interface CallView {
  call: string;
  ref: string;
  number: string;
  kind: CallKind;
  phase: Phase;
  rev: number;
  ahead: number;
  createdMs: number;
  sinceMs: number;
  operator?: string;
  opMic: boolean;
  opCamera: boolean;
  guests?: Companion[];
  endReason?: string;
  callBack: boolean;
  contact: Contact;
  recording: Recording;
  chat: ChatItem[];
}

export interface Text {
  kk: string;
  ru: string;
  en: string;
}

export interface Centre {
  name: Text;
  phone: string;
  lat: number;
  lon: number;
}

export type DutyState = "off" | "ready" | "offered" | "talking" | "wrapup" | "busy" | "pause" | "not_responding" | "link_lost";

export interface OperatorRow {
  staff: string;
  name: string;
  state: DutyState;
  reason?: string;
  sinceMs: number;
  number?: string;
  call?: string;
  after?: DutyState;
}

export interface Fix {
  lat: number;
  lon: number;
  accuracyM: number;
  altM?: number;
  heading?: number;
  speedMps?: number;
  source: string;
  text?: string;
  clientMs: number;
  serverMs: number;
}

export type DeviceState = "on" | "off" | "denied" | "none" | "busy" | "asking";

export type Rung = "video" | "thin" | "audio" | "notes" | "text" | "sos";

export interface WaitingRow {
  call: string;
  number: string;
  kind: CallKind;
  priority: number;
  sinceMs: number;
  name: string;
  place: string;
  fix?: Fix;
  mic: DeviceState;
  camera: DeviceState;
  offered?: string;
  linkLost?: boolean;
  rung?: Rung;
}

export interface CallBackRow {
  call: string;
  number: string;
  kind: CallKind;
  phone: string;
  name: string;
  reason: string;
  sinceMs: number;
  fix?: Fix;
}

export interface ServiceTargets {
  answerS: number;
  answeredShare: number;
  answeredToday: number;
  missedToday: number;
}

export interface PatrolAlarm {
  ref: string;
  patrol: string;
  name: string;
  atMs: number;
  lat?: number;
  lon?: number;
  accuracyM: number;
  fixMs: number;
  case: string;
  number: string;
  by: string;
  answeredMs: number;
}

export interface ConsoleState {
  rev: number;
  me: OperatorRow;
  waiting: WaitingRow[];
  more: number;
  operators: OperatorRow[];
  callBacks: CallBackRow[];
  target: ServiceTargets;
  alarms?: PatrolAlarm[];
}

export interface CallerCard {
  name: string;
  phone: string;
  proof: string;
  lang: string;
  iin?: string;
  medical?: string;
  earlier: number;
  earlierMs?: number;
  registered: boolean;
}

export interface MediaState {
  mic: DeviceState;
  camera: DeviceState;
  background: boolean;
  link: boolean;
  connected: boolean;
  rung?: Rung;
  battery?: number;
}

export interface Quality {
  word: string;
  lossUp: number;
  lossDown: number;
  rttMs: number;
  fps: number;
  network?: string;
  way?: string;
  atMs: number;
}

export type GuestMode = "listen" | "whisper" | "speak";

export interface GuestRow {
  staff: string;
  name: string;
  as: string;
  mode: GuestMode;
  sinceMs: number;
  link: boolean;
}

export interface CallCard {
  call: string;
  number: string;
  kind: CallKind;
  phase: Phase;
  rev: number;
  priority: number;
  createdMs: number;
  answeredMs: number;
  sinceMs: number;
  wrapUntilMs?: number;
  caller: CallerCard;
  media: MediaState;
  track: Fix[];
  chat: ChatItem[];
  note: string;
  noteRev: number;
  recording: Recording;
  quality: Quality;
  transfer?: string;
  guests?: GuestRow[];
  endReason?: string;
  callBack: boolean;
}

export interface OfferMade {
  call: string;
  epoch: number;
  number: string;
  kind: CallKind;
  priority: number;
  caller: CallerCard;
  sinceMs: number;
  expiresMs: number;
  fix?: Fix;
  transfer?: string;
  media: MediaState;
  words?: string;
}

export interface Choice {
  key: string;
  words: Text;
}

export interface ConsoleInit {
  state: ConsoleState;
  card?: CallCard;
  offer?: OfferMade;
  categories: Choice[];
  outcomes: Choice[];
  pauses: Choice[];
}

export interface GuestView {
  call: string;
  number: string;
  kind: CallKind;
  phase: Phase;
  rev: number;
  as?: string;
  mode?: GuestMode;
  why?: string;
  operator: string;
  guests: GuestRow[];
  recording: Recording;
}

export interface Welcome {
  client: string;
  key: string;
  version: number;
  nowMs: number;
  iceServers: ICEServer[];
  caller?: CallerSelf;
  staff?: StaffSelf;
  call?: CallView;
  centre: Centre;
  console?: ConsoleInit;
  guest?: GuestView;
  pc?: string;
}

export interface Ping {
}

export interface Pong {
  nowMs: number;
}

export interface OK {
}

export interface Error {
  code: string;
  op?: string;
  words: Text;
  fatal?: boolean;
}

export interface MediaOffer {
  pc: string;
  sdp: string;
}

export interface MediaAnswer {
  pc: string;
  sdp: string;
}

export interface MediaCandidate {
  pc: string;
  candidate: string;
  mid: string;
}

export interface MediaStatus {
  mic: DeviceState;
  camera: DeviceState;
  background?: boolean;
  rung?: Rung;
}

export interface MediaLost {
  pc: string;
  reason: string;
}

export interface MediaCheck {
  pc: string;
}

export interface MediaChecked {
  pc: string;
  sentMs: number;
  heardMs: number;
}

export interface RelayRenewed {
  iceServers: ICEServer[];
}

export type VideoLevel = "on" | "thin" | "off";

export interface MediaTune {
  pc: string;
  rev: number;
  red: boolean;
  jitterMs: number;
  video: VideoLevel;
  videoKbps: number;
  leastKbps: number;
  shown: VideoLevel;
  why: string;
}

export interface CallCreate {
  ref: string;
  kind: CallKind;
  contact?: Contact;
  fix?: Fix;
}

export interface CallCreated {
  view: CallView;
}

export interface CallEnd {
  call: string;
}

export interface ContactSet {
  call: string;
  contact: Contact;
}

export interface CallState {
  view: CallView;
}

export interface CallRecording {
  call: string;
  recording: Recording;
}

export interface CameraRequested {
  call: string;
}

export interface PositionRequested {
  call: string;
}

export interface PositionReport {
  call: string;
  id: string;
  fix: Fix;
}

export interface PositionMoved {
  call: string;
  fix: Fix;
}

export interface ChatSend {
  call: string;
  id: string;
  text: string;
  file?: string;
}

export interface ChatSent {
  id: string;
  atMs: number;
  chatSeq: number;
}

export interface ChatPosted {
  call: string;
  item: ChatItem;
}

export interface QualityReport {
  call?: string;
  rttMs: number;
  lossDown: number;
  concealed: number;
  jitterMs: number;
  fps: number;
  transport: string;
  network?: string;
}

export interface QualityChanged {
  call: string;
  quality: Quality;
}

export interface DutySet {
  state: DutyState;
  reason?: string;
}

export interface OfferWithdrawn {
  call: string;
  epoch: number;
  why: string;
  by?: string;
}

export interface OfferAccept {
  call: string;
  epoch: number;
}

export interface OfferReject {
  call: string;
  epoch: number;
  reason?: string;
}

export interface CallCardNews {
  card: CallCard;
}

export interface CallHold {
  call: string;
  on: boolean;
}

export interface CallTransfer {
  call: string;
  to: string;
}

export interface CallWrapUp {
  call: string;
  category: string;
  outcome: string;
}

export interface CallBackDone {
  call: string;
  outcome: string;
}

export interface CameraRequest {
  call: string;
}

export interface PositionRequest {
  call: string;
}

export interface NoteSave {
  call: string;
  text: string;
  base: number;
}

export interface NoteSaved {
  rev: number;
}

export interface CaseNews {
  case: string;
  number: string;
  version: number;
  lane: string;
  status: string;
  priority: number;
  owner: string;
  unit: string;
}

export interface PatrolRow {
  patrol: string;
  name: string;
  unit: string;
  state: string;
  case: string;
  number: string;
  late: boolean;
  sinceMs: number;
  lat?: number;
  lon?: number;
  accuracyM: number;
  fixMs: number;
}

export interface PatrolsMoved {
  patrols: PatrolRow[];
}

export interface AlarmNews {
  alarm: PatrolAlarm;
}

export interface SessionReplaced {
}

export interface CallJoin {
  call: string;
  mode: GuestMode;
}

export interface CallJoined {
  view: GuestView;
}

export interface CallMode {
  call: string;
  mode: GuestMode;
}

export interface CallLeave {
  call: string;
}

export interface CallTakeOver {
  call: string;
}

export interface GuestState {
  view: GuestView;
}

export interface VoicePiece {
  call: string;
  note: string;
  from: number;
  data: string;
  end?: boolean;
}

export interface VoiceHave {
  note: string;
  bytes: number;
  done: boolean;
}

/** The body of each message by its type. */
export interface Bodies {
  "hello": Hello;
  "welcome": Welcome;
  "ping": Ping;
  "pong": Pong;
  "ok": OK;
  "error": Error;
  "media.offer": MediaOffer;
  "media.answer": MediaAnswer;
  "media.candidate": MediaCandidate;
  "media.status": MediaStatus;
  "media.lost": MediaLost;
  "media.check": MediaCheck;
  "media.checked": MediaChecked;
  "relay.renewed": RelayRenewed;
  "media.tune": MediaTune;
  "call.create": CallCreate;
  "call.created": CallCreated;
  "call.end": CallEnd;
  "contact.set": ContactSet;
  "call.state": CallState;
  "call.recording": CallRecording;
  "camera.requested": CameraRequested;
  "position.requested": PositionRequested;
  "position.report": PositionReport;
  "position.moved": PositionMoved;
  "chat.send": ChatSend;
  "chat.sent": ChatSent;
  "chat.posted": ChatPosted;
  "quality.report": QualityReport;
  "quality.changed": QualityChanged;
  "duty.set": DutySet;
  "console.state": ConsoleState;
  "offer.made": OfferMade;
  "offer.withdrawn": OfferWithdrawn;
  "offer.accept": OfferAccept;
  "offer.reject": OfferReject;
  "call.card": CallCardNews;
  "call.hold": CallHold;
  "call.transfer": CallTransfer;
  "call.wrapup": CallWrapUp;
  "callback.done": CallBackDone;
  "camera.request": CameraRequest;
  "position.request": PositionRequest;
  "note.save": NoteSave;
  "note.saved": NoteSaved;
  "case.news": CaseNews;
  "patrols.moved": PatrolsMoved;
  "alarm.answered": AlarmNews;
  "session.replaced": SessionReplaced;
  "call.join": CallJoin;
  "call.joined": CallJoined;
  "call.mode": CallMode;
  "call.leave": CallLeave;
  "call.take_over": CallTakeOver;
  "guest.state": GuestState;
  "voice.piece": VoicePiece;
  "voice.have": VoiceHave;
}
