// Package access says which role may do what, and to what of which unit. It is one table; the
// object is checked where it is known.
package access

import "slices"

// Role is what a member of staff is.
type Role string

// Roles.
const (
	Operator      Role = "operator" // call-taker
	Dispatcher    Role = "dispatcher"
	Camera        Role = "camera"
	Navigation    Role = "navigation"
	Supervisor    Role = "supervisor"
	Investigator  Role = "investigator"
	Administrator Role = "administrator"
	Patrol        Role = "patrol"
)

// Roles lists them all.
func Roles() []Role {
	return []Role{Operator, Dispatcher, Camera, Navigation, Supervisor, Investigator, Administrator, Patrol}
}

// Action is what somebody wants to do.
type Action string

// Actions.
const (
	Console      Action = "console"       // see the console's lists
	TakeCalls    Action = "take_calls"    // be offered calls
	ReadOwn      Action = "read_own"      // files of the call in hand
	ReadCases    Action = "read_cases"    // cases, their places, people and notes
	EditCases    Action = "edit_cases"    // classify, note, link, merge, change the status
	Dispatch     Action = "dispatch"      // send patrols
	PatrolDuty   Action = "patrol_duty"   // be sent, tell where one is, report from the scene
	AnswerAlarm  Action = "answer_alarm"  // answer a patrol's call for help
	CloseTask    Action = "close_task"    // close the case that one is alone at the scene of, with its reply
	SeeCameras   Action = "see_cameras"   // watch cameras, keep clips
	Listen       Action = "listen"        // listen to, whisper into, barge into and take over calls
	SeeStats     Action = "see_stats"     // statistics and the wallboard
	SeeShifts    Action = "see_shifts"    // who is on duty when
	OwnShift     Action = "own_shift"     // go on and off duty, hand over and take over cases
	ManageShifts Action = "manage_shifts" // write the roster, hand over for somebody else
	Search       Action = "search"        // find recorded calls
	Play         Action = "play"          // hear and see them
	Verify       Action = "verify"        // check their proof
	Fetch        Action = "fetch"         // take a copy out
	SeeKeeping   Action = "see_keeping"   // how long recordings are kept, what is on hold, what is to be deleted
	Hold         Action = "hold"          // place and release legal holds
	Extend       Action = "extend"        // keep longer
	Delete       Action = "delete"        // keep shorter, ask for a deletion, approve it: two people
	Object       Action = "object"        // take a proposed shortening or deletion back
	Audit        Action = "audit"         // see what a member of staff did with recordings
	ManageStaff  Action = "manage_staff"  // accounts
	ApproveRoles Action = "approve_roles" // be the second person for roles that open evidence
)

// Scope says how far a permission reaches.
type Scope int

// Scopes.
const (
	None Scope = iota
	Own        // what belongs to the person's own unit, or to no unit
	All        // of every unit
)

// rule is one line of the table: which roles may, in their own unit and everywhere.
type rule struct{ own, all []Role }

// table says who may. What is not in it is refused.
var table = map[Action]rule{
	Console:      {all: []Role{Operator, Dispatcher, Camera, Navigation, Supervisor}},
	TakeCalls:    {all: []Role{Operator, Dispatcher}},
	ReadOwn:      {all: []Role{Operator, Dispatcher, Supervisor, Investigator}},
	ReadCases:    {all: []Role{Operator, Dispatcher, Camera, Navigation, Supervisor}, own: []Role{Investigator, Patrol}},
	EditCases:    {all: []Role{Operator, Supervisor}, own: []Role{Dispatcher, Navigation}},
	Dispatch:     {all: []Role{Supervisor}, own: []Role{Dispatcher}},
	PatrolDuty:   {own: []Role{Patrol}},
	AnswerAlarm:  {all: []Role{Operator, Dispatcher, Supervisor}},
	CloseTask:    {own: []Role{Patrol}}, // the rules of cases say when
	SeeCameras:   {all: []Role{Operator, Dispatcher, Camera, Supervisor}},
	Listen:       {all: []Role{Supervisor}},
	SeeStats:     {all: []Role{Supervisor, Administrator}},
	SeeShifts:    {all: []Role{Operator, Dispatcher, Camera, Navigation, Supervisor, Administrator}, own: []Role{Patrol}},
	OwnShift:     {all: []Role{Operator, Dispatcher, Camera, Navigation, Supervisor, Patrol}},
	ManageShifts: {own: []Role{Supervisor}},
	Search:       {all: []Role{Supervisor, Investigator}},
	Play:         {own: []Role{Supervisor, Investigator}},
	Verify:       {all: []Role{Administrator}, own: []Role{Supervisor, Investigator}},
	Fetch:        {own: []Role{Investigator}},
	SeeKeeping:   {all: []Role{Supervisor, Investigator, Administrator}},
	Hold:         {own: []Role{Investigator}},
	Extend:       {all: []Role{Administrator}, own: []Role{Supervisor, Investigator}},
	Delete:       {all: []Role{Administrator}, own: []Role{Supervisor}},
	Object:       {all: []Role{Supervisor, Investigator, Administrator}},
	Audit:        {all: []Role{Supervisor, Administrator}},
	ManageStaff:  {all: []Role{Administrator}},
	ApproveRoles: {all: []Role{Administrator, Supervisor}},
}

// Actions lists every action there is, in no order.
func Actions() []Action {
	var list []Action
	for a := range table {
		list = append(list, a)
	}
	return list
}

// Reach is how far the roles may do a.
func Reach(roles []string, a Action) Scope {
	best := None
	for _, r := range roles {
		switch {
		case slices.Contains(table[a].all, Role(r)):
			return All
		case slices.Contains(table[a].own, Role(r)):
			best = Own
		}
	}
	return best
}

// May reports whether any of the roles may do a, be it in their own unit only.
func May(roles []string, a Action) bool { return Reach(roles, a) != None }

// MayIn reports whether somebody with these roles, who works in a unit, may do a to an object of
// another. An empty unit of a person is the whole site, one of an object is nobody's alone.
func MayIn(roles []string, unit string, a Action, object string) bool {
	switch Reach(roles, a) {
	case All:
		return true
	case Own:
		return unit == "" || object == "" || unit == object
	}
	return false
}

// Sensitive reports whether a role opens evidence or decides about it, or gives such roles: it
// takes two people to give it.
func Sensitive(r Role) bool {
	for _, a := range []Action{Play, Fetch, Hold, Delete, ManageStaff, ApproveRoles} {
		if Reach([]string{string(r)}, a) != None {
			return true
		}
	}
	return false
}
