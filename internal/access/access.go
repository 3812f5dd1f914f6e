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
	Audit       Action = "audit"        // see what a member of staff did with recordings
	ManageStaff Action = "manage_staff" // accounts
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
	Audit:       {Supervisor, Administrator},
	ManageStaff: {Administrator},
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
