package app

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"jedel/recorder/verify"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// schema is a JSON Schema as far as the description of the API uses it.
type schema struct {
	Ref        string             `json:"$ref,omitempty"`
	Type       string             `json:"type,omitempty"`
	Properties map[string]*schema `json:"properties,omitempty"`
	Required   []string           `json:"required,omitempty"`
	Additional *bool              `json:"additionalProperties,omitempty"`
	Items      *schema            `json:"items,omitempty"`
	Enum       []string           `json:"enum,omitempty"`
}

// document is the description of the API.
type document struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct {
				Schema *schema `json:"schema"`
			} `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

const refPrefix = "#/components/schemas/"

// check complains about what in v, at a place, is not as s says.
func (d *document) check(s *schema, v any, at string) error {
	switch {
	case s == nil:
		return fmt.Errorf("%s: not described", at)
	case s.Ref != "":
		return d.check(d.Components.Schemas[strings.TrimPrefix(s.Ref, refPrefix)], v, at)
	}
	ok := s.Type == ""
	switch v := v.(type) {
	case map[string]any:
		if s.Type == "object" {
			return d.checkObject(s, v, at)
		}
	case []any:
		if s.Type == "array" {
			for i, item := range v {
				if err := d.check(s.Items, item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
					return err
				}
			}
			return nil
		}
	case string:
		ok = ok || s.Type == "string" && (s.Enum == nil || slices.Contains(s.Enum, v))
	case float64:
		ok = ok || s.Type == "number" || s.Type == "integer" && v == math.Trunc(v)
	case bool:
		ok = ok || s.Type == "boolean"
	}
	if !ok {
		return fmt.Errorf("%s: %v is not %s %v", at, v, s.Type, s.Enum)
	}
	return nil
}

func (d *document) checkObject(s *schema, v map[string]any, at string) error {
	for _, key := range s.Required {
		if _, ok := v[key]; !ok {
			return fmt.Errorf("%s: no %s", at, key)
		}
	}
	for key, value := range v {
		p, ok := s.Properties[key]
		if !ok && s.Additional != nil && !*s.Additional {
			return fmt.Errorf("%s: %s is not described", at, key)
		}
		if !ok {
			continue
		}
		if err := d.check(p, value, at+"."+key); err != nil {
			return err
		}
	}
	return nil
}

// typeNames are the names of types in the description where it has others than the code.
func typeNames() map[reflect.Type]string {
	return map[reflect.Type]string{
		reflect.TypeFor[line](): "Timeline", reflect.TypeFor[mediaLine](): "MediaLine", reflect.TypeFor[verify.Report](): "VerifyReport",
		reflect.TypeFor[verify.Level](): "VerifyLevel", reflect.TypeFor[verify.Fault](): "VerifyFault",
	}
}

// schemas makes the schemas of Go types, as encoding/json writes them.
type schemas struct {
	names map[reflect.Type]string
	made  map[string]*schema
}

func (s *schemas) of(t reflect.Type) *schema {
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Float64:
		return &schema{Type: "number"}
	case reflect.Slice:
		if t == reflect.TypeFor[json.RawMessage]() {
			return &schema{}
		}
		return &schema{Type: "array", Items: s.of(t.Elem())}
	case reflect.Map:
		yes := true // names and numbers that depend on another field
		return &schema{Type: "object", Additional: &yes}
	case reflect.Interface:
		return s.of(reflect.TypeFor[line]()) // the one that there is
	case reflect.Struct:
		name := s.names[t]
		if name == "" {
			name = t.Name()
		}
		if s.made[name] == nil {
			no := false
			made := &schema{Type: "object", Properties: map[string]*schema{}, Additional: &no}
			s.made[name] = made
			s.fields(made, t)
			slices.Sort(made.Required)
		}
		return &schema{Ref: refPrefix + name}
	}
	return &schema{Type: "integer"}
}

// fields adds the fields of t that are not there yet: those of the outer type come first.
func (s *schemas) fields(to *schema, t reflect.Type) {
	var embedded []reflect.Type
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			embedded = append(embedded, f.Type)
			continue
		}
		if !f.IsExported() {
			continue
		}
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if to.Properties[name] != nil {
			continue
		}
		to.Properties[name] = s.of(f.Type)
		if option != "omitempty" {
			to.Required = append(to.Required, name)
		}
	}
	for _, e := range embedded {
		s.fields(to, e)
	}
}

// described are the types of the answers.
func described() map[string]*schema {
	s := &schemas{names: typeNames(), made: map[string]*schema{}}
	for _, t := range []reflect.Type{
		reflect.TypeFor[signaling.CallRow](), reflect.TypeFor[signaling.CallDetail](), reflect.TypeFor[verify.Report](),
		reflect.TypeFor[signaling.KeepingState](), reflect.TypeFor[signaling.KeepingRow](),
		reflect.TypeFor[signaling.GeoAddress](), reflect.TypeFor[signaling.GeoFindings](), reflect.TypeFor[signaling.Account](), reflect.TypeFor[signaling.AccountChange](),
		reflect.TypeFor[signaling.ShiftLine](), reflect.TypeFor[signaling.OnDuty](), reflect.TypeFor[signaling.HeldCase](), reflect.TypeFor[signaling.PersonName](),
		reflect.TypeFor[signaling.StatsAnswer](), reflect.TypeFor[signaling.Wall](), reflect.TypeFor[signaling.LimitChange](), reflect.TypeFor[signaling.WallLimit](),
		reflect.TypeFor[wire.FileRef](), reflect.TypeFor[wire.StaffSelf](), reflect.TypeFor[wire.CallerSelf](), reflect.TypeFor[wire.Centre](), reflect.TypeFor[wire.Error](),
	} {
		s.of(t)
	}
	return s.made
}

// bare returns a schema with the words for people and the lists of values left out.
func bare(s *schema) *schema {
	if s == nil {
		return nil
	}
	out := *s
	out.Enum, out.Items, out.Properties = nil, bare(s.Items), nil
	out.Required = slices.Sorted(slices.Values(s.Required))
	if s.Properties != nil {
		out.Properties = map[string]*schema{}
		for key, p := range s.Properties {
			out.Properties[key] = bare(p)
		}
	}
	return &out
}

// TestDescribedTypesAreThoseOfTheCode holds every field, and whether it may be missing.
func TestDescribedTypesAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	for name, want := range described() {
		got, err := json.Marshal(bare(d.Components.Schemas[name]))
		if err != nil {
			t.Fatal(err)
		}
		code, err := json.Marshal(bare(want))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(code) {
			t.Errorf("%s is described as\n%s\nand is\n%s", name, got, code)
		}
	}
}

// TestNoAnswerIsABareObject follows every answer of the description to its leaves.
func TestNoAnswerIsABareObject(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	seen := map[string]bool{}
	var walk func(s *schema, at string)
	walk = func(s *schema, at string) {
		switch {
		case s == nil:
			t.Errorf("%s: nothing", at)
		case s.Ref != "":
			name := strings.TrimPrefix(s.Ref, refPrefix)
			if !seen[name] {
				seen[name] = true
				walk(d.Components.Schemas[name], name)
			}
		case s.Type == "object":
			if open := s.Additional != nil && *s.Additional; !open && (len(s.Properties) == 0 || s.Additional == nil) {
				t.Errorf("%s: an object of anything", at)
			}
			for key, p := range s.Properties {
				walk(p, at+"."+key)
			}
		case s.Type == "array":
			walk(s.Items, at+"[]")
		}
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			for code, res := range op.Responses {
				for mime, c := range res.Content {
					walk(c.Schema, method+" "+path+" "+code+" "+mime)
				}
			}
		}
	}
	for name := range d.Components.Schemas {
		if !seen[name] {
			t.Errorf("%s is described and not used", name)
		}
	}
}

func readDocument(t *testing.T) *document {
	t.Helper()
	raw, err := os.ReadFile("../../signaling/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// TestCheckFindsWhatIsWrong holds that the comparison of answers can fail.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	no := false
	d := &document{}
	d.Components.Schemas = map[string]*schema{"A": {
		Type: "object", Required: []string{"n"}, Additional: &no,
		Properties: map[string]*schema{"n": {Type: "integer"}, "s": {Type: "string", Enum: []string{"x"}}, "l": {Type: "array", Items: &schema{Type: "boolean"}}, "any": {}},
	}}
	for raw, good := range map[string]bool{
		`{"n":1}`: true, `{"n":1,"s":"x","l":[true],"any":{"a":[1]}}`: true, `{"n":1,"l":[],"any":null}`: true,
		`{}`: false, `{"n":1.5}`: false, `{"n":"1"}`: false, `{"n":1,"s":"y"}`: false, `{"n":1,"l":[1]}`: false, `{"n":1,"l":null}`: false, `{"n":1,"x":1}`: false, `[]`: false, `null`: false,
	} {
		var v any
		if err := json.Unmarshal([]byte(raw), &v); err != nil {
			t.Fatal(err)
		}
		if err := d.check(&schema{Ref: refPrefix + "A"}, v, ""); (err == nil) != good {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
