// Package access says which role may do what. It is one table; the object is checked where it is
// known.
package access

// Role is what a member of staff is.
type Role string

// Roles.
const (
	Operator      Role = "operator"
	Dispatcher    Role = "dispatcher"
	Supervisor    Role = "supervisor"
	Investigator  Role = "investigator"
	Administrator Role = "administrator"
	Patrol        Role = "patrol"
)

// Roles lists them all.
func Roles() []Role {
	return []Role{Operator, Dispatcher, Supervisor, Investigator, Administrator, Patrol}
}

// Action is what somebody wants to do.
type Action string

// Actions.
const (
	Console     Action = "console"      // see the console's lists
	TakeCalls   Action = "take_calls"   // be offered calls
	ReadOwn     Action = "read_own"     // files of the call in hand
	Search      Action = "search"       // find recorded calls
	Play        Action = "play"         // hear and see them
	Verify      Action = "verify"       // check their proof
	Fetch       Action = "fetch"        // take a copy out
	SeeKeeping  Action = "see_keeping"  // how long recordings are kept, what is on hold, what is to be deleted
	Hold        Action = "hold"         // place and release legal holds
	Extend      Action = "extend"       // keep longer
	Delete      Action = "delete"       // keep shorter, ask for a deletion, approve it: two people
	Object      Action = "object"       // take a proposed shortening or deletion back
	Audit       Action = "audit"        // see what a member of staff did with recordings
	ManageStaff Action = "manage_staff" // accounts
	Cameras     Action = "cameras"      // look at the site's cameras and make clips of them
)

// table says who may. What is not in it is refused.
var table = map[Action][]Role{
	Console:     {Operator, Dispatcher, Supervisor},
	TakeCalls:   {Operator, Dispatcher},
	ReadOwn:     {Operator, Dispatcher, Supervisor, Investigator},
	Search:      {Supervisor, Investigator},
	Play:        {Supervisor, Investigator},
	Verify:      {Supervisor, Investigator, Administrator},
	Fetch:       {Investigator},
	SeeKeeping:  {Supervisor, Investigator, Administrator},
	Hold:        {Investigator},
	Extend:      {Supervisor, Investigator, Administrator},
	Delete:      {Supervisor, Administrator},
	Object:      {Supervisor, Investigator, Administrator},
	Audit:       {Supervisor, Administrator},
	ManageStaff: {Administrator},
	Cameras:     {Operator, Dispatcher, Supervisor},
}

// May reports whether any of the roles may do a.
func May(roles []string, a Action) bool {
	for _, allowed := range table[a] {
		for _, r := range roles {
			if Role(r) == allowed {
				return true
			}
		}
	}
	return false
}
