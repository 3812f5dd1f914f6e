package verify

import (
	"errors"
	"fmt"
	"strings"

	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/proof"

	"golang.org/x/mod/sumdb/note"
)

// Code names something a report says. Codes are never changed: pages have words for them in their
// own languages.
type Code string

// Args are the names and numbers that belong to a code. A value may itself be a Code.
type Args map[string]any

// Note is something a report says: the code and its numbers for programs, the text in English.
type Note struct {
	Code Code   `json:"code"`
	Args Args   `json:"args,omitempty"`
	Text string `json:"text"`
}

// What the levels say of themselves.
const (
	saidSeal         Code = "v0.seal"
	saidList         Code = "v0.list"
	saidBag          Code = "v0.bag"
	saidErased       Code = "v0.erased"
	saidNoList       Code = "v0.none"
	saidNoSeal       Code = "v0.unreadable"
	saidRead         Code = "v1.read"
	saidTorn         Code = "v1.torn"
	saidErasedRead   Code = "v1.erased"
	saidOpen         Code = "v1.open"
	saidHeads        Code = "v2.heads"
	saidSealSigns    Code = "v2.seal"
	saidErasedHeads  Code = "v2.erased"
	saidUnsealed     Code = "v2.unsealed"
	saidTornHead     Code = "v2.torn"
	saidKeyGiven     Code = "v2.key.given"
	saidKeyOwn       Code = "v2.key.own"
	saidKeyNone      Code = "v2.key.none"
	saidNoProof      Code = "v3.none"
	saidLogOpen      Code = "v3.open"
	saidLogged       Code = "v3.logged"
	saidOpenLogged   Code = "v3.begun"
	saidUnbegun      Code = "v3.unbegun"
	saidLogKeyGiven  Code = "v3.key.given"
	saidLogKeyOwn    Code = "v3.key.own"
	saidLogKeyNone   Code = "v3.key.none"
	saidWitnessed    Code = "v3.witnessed"
	saidUnwitnessed  Code = "v3.unwitnessed"
	saidStamped      Code = "v3.stamped"
	saidStampedBy    Code = "v3.stamped.by"
	saidNoOutsider   Code = "v3.alone"
	saidPlain        Code = "v4.plain"
	saidNoContentKey Code = "v4.none"
	saidOpened       Code = "v4.opened"
	saidKeysGone     Code = "v4.gone"
	saidDestroyed    Code = "v4.destroyed"
	saidWithheld     Code = "v4.withheld"
	saidMoreWithheld Code = "v4.more"
	saidNoDerived    Code = "v5.none"
	saidUnmade       Code = "v5.unmade"
	saidRemade       Code = "v5.same"
	saidOtherTool    Code = "v5.tool"
	saidMoreFaults   Code = "more"
)

// Faults.
const (
	badMissing       Code = "file.missing"
	badSize          Code = "file.size"
	badSum           Code = "file.sum"
	badTail          Code = "file.tail"
	badSinceCrash    Code = "file.recovered"
	badNew           Code = "file.new"
	badListLine      Code = "list.line"
	badListSum       Code = "list.sum"
	badBagNew        Code = "bag.new"
	badBagTag        Code = "bag.tag"
	badBagCount      Code = "bag.count"
	badSizes         Code = "segment.sizes"
	badUnsealed      Code = "segment.unsealed"
	badRead          Code = "read.failed"
	badFirstLeaf     Code = "segment.leaf"
	badPrevRoot      Code = "segment.root"
	badSegmentNumber Code = "segment.number"
	badSegmentCall   Code = "segment.call"
	badBlockLeaf     Code = "block.leaf"
	badBlockHeader   Code = "block.header"
	badBlockTime     Code = "block.time"
	badBlockRecords  Code = "block.records"
	badCipher        Code = "block.cipher"
	badHead          Code = "head.bad"
	badHeadOrigin    Code = "head.origin"
	badHeadBack      Code = "head.back"
	badHeadTwice     Code = "head.twice"
	badHeadFork      Code = "head.fork"
	badHeadBroken    Code = "head.broken"
	badHeadTorn      Code = "head.torn"
	badHeadGone      Code = "head.gone"
	badHeadRoot      Code = "head.root"
	badHeadsTail     Code = "heads.tail"
	badSeal          Code = "seal.bad"
	badSealCall      Code = "seal.call"
	badSealBroken    Code = "seal.broken"
	badSealLeaves    Code = "seal.leaves"
	badSealRoot      Code = "seal.root"
	badSealHeadCount Code = "seal.heads"
	badProof         Code = "log.proof"
	badLogOther      Code = "log.other"
	badNoSeal        Code = "log.seal"
	badStamp         Code = "log.stamp"
	badDerived       Code = "derived.other"
	badRemake        Code = "derived.made"
)

// Findings.
const (
	foundRestarts Code = "found.restarts"
	foundGaps     Code = "found.gaps"
	foundDropped  Code = "found.dropped"
)

// Causes stand within other notes.
const (
	causeMissing   Code = "cause.missing"
	causeTooBad    Code = "cause.too_bad"
	causeShort     Code = "cause.short"
	causeMagic     Code = "cause.magic"
	causeCRC       Code = "cause.crc"
	causeSize      Code = "cause.size"
	causeHead      Code = "cause.head"
	causeSeal      Code = "cause.seal"
	causeSignature Code = "cause.signature"
	causeUnsigned  Code = "cause.unsigned"
	causeKey       Code = "cause.key"
	causeCipher    Code = "cause.cipher"
	causeMalformed Code = "cause.malformed"
	causePath      Code = "cause.path"
	causeToken     Code = "cause.token"
	causeImprint   Code = "cause.imprint"
	causeChain     Code = "cause.chain"
)

// texts has every code in English, with its arguments in braces.
var texts = map[Code]string{
	saidSeal:         "SHA-256 of {segments} segments compared with the seal.",
	saidList:         "SHA-256 of {files} files compared with {file}.",
	saidBag:          "The {files} files of the bag compared with {lists}.",
	saidErased:       "The {segments} segments were deleted after their keys were destroyed. Statement {index} of the site log {origin}, of {at}, says so; the seal says what they were.",
	saidNoList:       "There is no list of checksums: the call is not sealed and not exported.",
	saidNoSeal:       "The seal cannot be read, and there is no other list of checksums.",
	saidRead:         "{leaves} leaves in {segments} segments read: checksums, order, times.",
	saidErasedRead:   "Nothing is left to read: by the seal there were {leaves} leaves in {segments} segments.",
	saidTorn:         "The last segment ends torn ({bytes} bytes at {offset} of {file} cannot be read: {cause}): the recorder was stopped, or is writing.",
	saidOpen:         "Not sealed: whether something is missing at the end cannot be told.",
	saidHeads:        "{good} of {heads} heads signed and equal to the tree.",
	saidErasedHeads:  "{good} of {heads} heads signed, in order, and not against the seal; the tree they sign was deleted.",
	saidSealSigns:    "The seal signs all leaves.",
	saidUnsealed:     "Not sealed: {covered} of {leaves} leaves are covered by a signature.",
	saidTornHead:     "The last head is torn ({bytes} bytes): the recorder was stopped, or is writing.",
	saidKeyGiven:     "Checked with the given key {keys}.",
	saidKeyOwn:       "Checked only with the key found in the archive itself ({keys}): give the recorder's key to know who signed.",
	saidKeyNone:      "The archive names no key and none was given: no signature could be checked.",
	saidNoProof:      "There is no proof from a site log.",
	saidLogOpen:      "Not sealed: the proofs from the site log come after the seal.",
	saidLogged:       "The seal is statement {index} of the site log {origin}, proven up to its {size} statements.",
	saidOpenLogged:   "The beginning of the recording is statement {index}, of {at}.",
	saidUnbegun:      "There is no proof that the site log was told of the recording when it began.",
	saidLogKeyGiven:  "The log was checked with the given key {keys}.",
	saidLogKeyOwn:    "The log was checked only with the key found in the archive itself ({keys}): give the log's key to know who signed.",
	saidLogKeyNone:   "No key of the log was given or found: its signature could not be checked.",
	saidWitnessed:    "Witnesses that saw the log: {names}.",
	saidUnwitnessed:  "Not enough of the witnesses asked for have signed: {names}.",
	saidStamped:      "Stamped at {at} by {authority}, back to a given certificate.",
	saidStampedBy:    "Stamped at {at} by {authority}; no certificate was given to check the authority itself.",
	saidNoOutsider:   "Nobody outside of the site was checked to have seen the log: give a witness policy or the authority's certificate.",
	saidPlain:        "Nothing in this archive is encrypted.",
	saidNoContentKey: "{blocks} blocks are encrypted and no key was given: what they hold was not looked at, that they are unchanged was.",
	saidOpened:       "{opened} of {blocks} encrypted blocks opened as they were sealed.",
	saidKeysGone:     "Key files that are not here any more, destroyed or withheld: {files}.",
	saidDestroyed:    "The keys were destroyed at {at}: nobody can open this recording any more. {by} asked for it, {approver} approved (statement {index} of the site log).",
	saidWithheld:     "Withheld: {stream}, from {from} s to {to} s, {blocks} blocks.",
	saidMoreWithheld: "And {more} further stretches.",
	saidNoDerived:    "No derived files stand beside this archive: they are made from it when they are asked for.",
	saidUnmade:       "Derived files beside the archive: {files}. Not made again here: `jedel evidence verify` does that.",
	saidRemade:       "Derived files made again from the archive, equal byte for byte: {files}.",
	saidOtherTool:    "Made by {tool}, which writes other bytes than this program: not compared: {files}.",
	saidMoreFaults:   "{faults} faults.",

	badMissing:       "{file}: is missing",
	badSize:          "{file}: has {bytes} bytes, sealed were {sealed}",
	badSum:           "{file}: has another SHA-256 than sealed",
	badTail:          "{file}: {bytes} bytes after its end that nothing declares",
	badSinceCrash:    "{file}: is not what the recorder found of it after a crash",
	badNew:           "{file}: was not there when the call was sealed",
	badListLine:      "{file}: line {line} is none",
	badListSum:       "{file}: has another SHA-256 than listed",
	badBagNew:        "{file}: not listed in the bag",
	badBagTag:        "{file}: not what RFC 8493 says",
	badBagCount:      "{file}: says another number of bytes or files",
	badSizes:         "{file}: {valid} of {bytes} bytes count with leaves {first} to {last}; sealed were {sealedValid} of {sealedBytes} with {sealedFirst} to {sealedLast}",
	badUnsealed:      "{file}: is not in the seal",
	badRead:          "{file}: {bytes} bytes at {offset} cannot be read: {cause}",
	badFirstLeaf:     "{file}: begins at leaf {leaf}, expected {expected}",
	badPrevRoot:      "{file}: continues another archive: its root of what was before differs",
	badSegmentNumber: "{file}: says that it is segment {segment}",
	badSegmentCall:   "{file}: belongs to call {call}",
	badBlockLeaf:     "block of leaf {leaf} where {expected} belongs",
	badBlockHeader:   "a header that cannot be: time {time}, epoch {epoch}, flags {flags}",
	badBlockTime:     "time goes back by {ms} ms",
	badBlockRecords:  "records of leaf {leaf}: {cause}",
	badCipher:        "block of leaf {leaf}: {cause}",
	badHead:          "head {head}: {cause}",
	badHeadOrigin:    "head {head}: signed for {origin}",
	badHeadBack:      "head {head}: goes back: {leaves} leaves at {at} s after {leavesBefore} at {before} s",
	badHeadTwice:     "head {head}: is the one before once more",
	badHeadFork:      "head {head}: another root for {leaves} leaves: two histories of one call",
	badHeadBroken:    "head {head}: cannot be compared: the tree breaks off at leaf {leaf}; nothing after {from} s is proven",
	badHeadTorn:      "head {head}: signs {leaves} leaves, the archive can be read up to {size}; {file} is torn at {offset}: {cause}",
	badHeadGone:      "head {head}: signs {leaves} leaves, the archive has {size}: durable bytes are gone",
	badHeadRoot:      "head {head}: another root for {leaves} leaves: changed between {from} s and {to} s, in one of {span} leaves of {streams}",
	badHeadsTail:     "heads: {bytes} bytes after the last head",
	badSeal:          "seal.note: {cause}",
	badSealCall:      "seal.note: seals call {call}",
	badSealBroken:    "seal.note: cannot be compared: the tree breaks off at leaf {leaf} of {leaves}",
	badSealLeaves:    "seal.note: seals {sealed} leaves, the archive has {leaves}",
	badSealRoot:      "seal.note: seals another root",
	badSealHeadCount: "seal.note: seals {sealed} heads, there are {heads}",
	badProof:         "{file}: {cause}",
	badLogOther:      "{file}: proves something else than this archive",
	badDerived:       "{file}: is not what the archive gives",
	badRemake:        "{file}: cannot be made from the archive again",
	badNoSeal:        "{file}: proves a seal that is not here any more",
	badStamp:         "the time stamp does not hold: {cause}",

	foundRestarts: "The recorder was restarted during the call: {restarts}.",
	foundGaps:     "Gaps that the recorder itself declares: {gaps}.",
	foundDropped:  "{stream}: {records} records were dropped by the recorder.",

	causeMissing:   "missing",
	causeTooBad:    "too much damage to search through",
	causeShort:     "too short",
	causeMagic:     "wrong magic",
	causeCRC:       "checksum differs",
	causeSize:      "size out of bounds",
	causeHead:      "not a head",
	causeSeal:      "not a seal",
	causeSignature: "the signature is wrong",
	causeUnsigned:  "not signed with a known key",
	causeKey:       "the key given is not the one it was sealed with",
	causeCipher:    "the ciphertext is not what was sealed",
	causeMalformed: "malformed",
	causePath:      "the path to the signed root does not hold",
	causeToken:     "not a time stamp",
	causeImprint:   "it stamps something else",
	causeChain:     "its certificate does not go back to a given one, or is not for time stamps",
}

// say makes a note of a code.
func say(code Code, args Args) Note { return Note{code, args, english(code, args)} }

func english(code Code, args Args) string {
	var pairs []string
	for name, v := range args {
		pairs = append(pairs, "{"+name+"}", word(v))
	}
	return strings.NewReplacer(pairs...).Replace(texts[code])
}

// word writes one argument in English.
func word(v any) string {
	switch v := v.(type) {
	case Code:
		return texts[v]
	case float64:
		return fmt.Sprintf("%.3f", v)
	case []string:
		return strings.Join(v, ", ")
	}
	return fmt.Sprint(v)
}

// cause finds the code of what a reader gave as its reason.
func cause(err error) Code {
	var (
		unverified *note.UnverifiedNoteError
		invalid    *note.InvalidSignatureError
	)
	switch {
	case errors.As(err, &invalid):
		return causeSignature
	case errors.As(err, &unverified):
		return causeUnsigned
	}
	for _, known := range []struct {
		err  error
		code Code
	}{
		{evr.ErrMissing, causeMissing}, {evr.ErrTooBad, causeTooBad}, {evr.ErrShort, causeShort}, {evr.ErrMagic, causeMagic},
		{evr.ErrCRC, causeCRC}, {evr.ErrSize, causeSize}, {proof.ErrHead, causeHead}, {errSeal, causeSeal},
		{keys.ErrWrongKey, causeKey}, {keys.ErrTampered, causeCipher},
	} {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	return causeMalformed
}
