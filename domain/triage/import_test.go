package triage_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain/triage"
)

var options = triage.ImportOptions{
	Name: "council", Version: "2026-11", Trade: "heating",
	Trades: map[string]string{"E": "electrical", "P": "plumbing", "P10": "drainage", "N63": "plumbing", "N8": "electrical"},
}

// mappings are the made-up one and, where the folder beside the repository exists, the real one,
// which is not ours to copy.
func mappings(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string]string{"made up": "testdata/mapping.json"}
	if named := os.Getenv("RENTBOOK_TEST_TRIAGE"); named != "" {
		files["real"] = named
	} else if _, err := os.Stat("../../../shared"); !errors.Is(err, fs.ErrNotExist) {
		files["real"] = "../../../shared/data/triage/sor-mapping.json"
	}
	read := map[string][]byte{}
	for name, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("the %s mapping cannot be read (RENTBOOK_TEST_TRIAGE says where it is): %v", name, err)
		}
		read[name] = data
	}
	return read
}

func TestImport_loses_no_key_and_no_code(t *testing.T) {
	t.Parallel()
	for name, mapping := range mappings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaves, coded := roundTrip(t, mapping)
			t.Logf("%d leaves, %d with a code", leaves, coded)
			if leaves == 0 || coded == 0 {
				t.Error("nothing was compared")
			}
		})
	}
}

// roundTrip compares the tree of a mapping with the mapping as encoding/json reads it.
func roundTrip(t rapid.TB, mapping []byte) (leaves, coded int) {
	t.Helper()
	file, warnings, err := triage.Import(mapping, options)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := triage.Parse(file)
	if err != nil {
		t.Fatalf("what was made does not parse: %v\n%s", err, file)
	}
	want := map[string]string{}
	var whole map[string]any
	if err := json.Unmarshal(mapping, &whole); err != nil {
		t.Fatal(err)
	}
	flatten(want, "", whole)
	got, used, without := map[string]string{}, map[string]bool{}, 0
	for leaf := range tree.Leaves() {
		o := leaf.Outcome
		step, err := tree.Walk(leaf.Path, nil)
		if diff := cmp.Diff(&o, step.Outcome); err != nil || diff != "" {
			t.Fatalf("%v: %v\n%s", leaf.Path, err, diff)
		}
		code := ""
		if len(o.SOR) == 1 {
			code = o.SOR[0].Code
			used[code] = true
		}
		if o.Kind != triage.Landlord || o.Trade == "" || o.NeedsPerson != (code == "") {
			t.Fatalf("%v: %+v", leaf.Path, o)
		}
		if o.NeedsPerson {
			without++
		}
		got["/"+strings.Join(leaf.Path, "/")] = code
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("codes by path (-mapping +tree):\n%s", diff)
	}
	if len(tree.Codes()) != len(used) || len(warnings) != without {
		t.Fatalf("%d codes listed and %d used; %d warnings, %d leaves without code", len(tree.Codes()), len(used), len(warnings), without)
	}
	return len(got), len(got) - without
}

func flatten(into map[string]string, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			flatten(into, path+"/"+key, inner)
		}
	case string:
		into[path] = value
	default:
		into[path] = ""
	}
}

func TestImport_keeps_the_order_and_writes_the_same_every_time(t *testing.T) {
	t.Parallel()
	for name, mapping := range mappings(t) {
		first, _, err := triage.Import(mapping, options)
		if err != nil {
			t.Fatal(err)
		}
		again, _, _ := triage.Import(mapping, options)
		if string(first) != string(again) {
			t.Errorf("%s: two imports differ", name)
		}
		at := 0
		for leaf := range parse(t, string(first)).Leaves() {
			key := `"` + leaf.Path[len(leaf.Path)-1] + `"`
			found := strings.Index(string(mapping[at:]), key)
			if found < 0 {
				t.Fatalf("%s: %v is out of order", name, leaf.Path)
			}
			at += found + len(key)
		}
	}
}

func TestImport_makes_texts_trades_and_warnings(t *testing.T) {
	t.Parallel()
	file, warnings, err := triage.Import(mappings(t)["made up"], options)
	if err != nil {
		t.Fatal(err)
	}
	want := `tree: council
version: 2026-11
codes:
  - {code: Z100, text: Worktop, trade: general}
  - {code: D7.1, text: 'Damp or mould: Damp or mould', trade: general}
  - {code: E200, text: 'Walls floors ceiling: Light fitting', trade: electrical}
  - {code: P10/2, text: 'Walls floors ceiling: Yes', trade: drainage}
  - {code: W1, text: UPVC window, trade: general}
locations:
  galley:
    text: Galley
    components:
      worktop: {text: Worktop, outcome: landlord, trade: general, priority: normal, sor: [Z100]}
      dampOrMould:
        text: Damp or mould
        faults:
          dampOrMould: {text: Damp or mould, outcome: landlord, trade: general, priority: normal, sor: [D7.1]}
      wallsFloorsCeiling:
        text: Walls floors ceiling
        faults:
          lightFitting: {text: Light fitting, outcome: landlord, trade: electrical, priority: normal, sor: [E200]}
          backDoorUPVC: {text: Back door UPVC, outcome: landlord, trade: general, priority: normal, sor: [Z100]}
          yes: {text: Yes, outcome: landlord, trade: drainage, priority: normal, sor: [P10/2]}
          "007": {text: "007", outcome: landlord, trade: drainage, priority: normal, sor: [P10/2]}
  engine_room:
    text: Engine room
    components:
      heatingOrHotWater:
        text: Heating or hot water
        faults:
          boiler: {text: Boiler, outcome: landlord, trade: heating, priority: normal, needs_person: true}
          radiator: {text: Radiator, outcome: landlord, trade: heating, priority: normal, needs_person: true}
      UPVCWindow: {text: UPVC window, outcome: landlord, trade: general, priority: normal, sor: [W1]}
`
	if diff := cmp.Diff(want, string(file)); diff != "" {
		t.Error(diff)
	}
	wanted := []triage.Warning{
		{Line: 16, Path: "engine_room/heatingOrHotWater/boiler", Text: "there is no code; a person must decide what to order"},
		{Line: 17, Path: "engine_room/heatingOrHotWater/radiator", Text: "there is no code; a person must decide what to order"},
	}
	if diff := cmp.Diff(wanted, warnings); diff != "" {
		t.Error(diff)
	}
	if got := warnings[0].String(); !strings.HasPrefix(got, "line 16: engine_room/heatingOrHotWater/boiler: ") {
		t.Error(got)
	}
}

func TestImport_takes_trade_and_priority_as_told(t *testing.T) {
	t.Parallel()
	o := triage.ImportOptions{Name: "n", Version: "v", Priority: triage.PriorityPlanned}
	file, _, err := triage.Import([]byte(`{"a":{"b":""}}`), o)
	if err != nil || !strings.Contains(string(file), "b: {text: B, outcome: landlord, trade: general, priority: planned, needs_person: true}") {
		t.Errorf("%v\n%s", err, file)
	}
}

func TestImport_refuses(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, mapping, want string }{
		{"nothing", "", "line 1: this is not JSON"},
		{"what is not JSON", "{\n\"a\": ,\n}", "line 2: this is not JSON"},
		{"more after the end", "{\"a\":{\"b\":\"C\"}}\n{}", "line 2: this is not JSON"},
		{"what is not UTF-8", "{\n\"\xff\":1}", "line 2: the file is not UTF-8"},
		{"a mapping that is a text", `"a"`, "line 1: here should be an object with at least one location"},
		{"an empty mapping", "{}", "line 1: this is empty; there should be at least one location"},
		{"a location with a code", "{\n\"a\": \"C1\"}", "line 2: a: here should be an object with at least one component"},
		{"an empty location", "{\n\"a\": {}}", "line 2: a: this is empty; there should be at least one component"},
		{"an empty component", "{\"a\": {\n\n\"b\": {}}}", "line 3: a/b: this is empty; there should be at least one fault"},
		{"a level too deep", "{\"a\": {\"b\":\n{\"c\": {\"d\": {\"e\": \"C\"}}}}}", "line 2: a/b/c: here should be a code"},
		{"a list", "{\"a\": {\"b\":\n[[1], {\"a\": 2}], \"c\": \"C\"}}", "line 2: a/b: here should be a code"},
		{"a code that is a number", "{\"a\": {\n\"b\": 12}}", "line 2: a/b: a code is a text in quotes"},
		{"a code that cannot be kept", "{\"a\": {\n\"b\": \"C 1\"}}", `line 2: a/b: "C 1" cannot be kept as a code`},
		{"a key that cannot be kept", "{\"a\": {\n\"b c\": \"C1\"}}", `line 2: a: "b c" cannot be kept as a key`},
		{"a key given twice", "{\"a\": {\"b\": \"C1\",\n\"b\": \"C2\"}}", "line 2: a/b: this key is there twice"},
		{"a location given twice", "{\"a\": {\"b\": \"C1\"},\n\"a\": {\"c\": \"C2\"}}", "line 2: a: this key is there twice"},
		{"a key that is written in two ways", "{\"a\": {\"b\": \"C1\",\n\"\\u0062\": \"C2\"}}", "line 2: a/b: this key is there twice"},
		{"one that is too large", strings.Repeat(" ", 5<<20), "line 1: the file is larger than 4 MiB"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			file, _, err := triage.Import([]byte(row.mapping), options)
			if err == nil || file != nil {
				t.Fatalf("it is accepted: %s", file)
			}
			if got := faults(t, err)[0].String(); !strings.HasPrefix(got, row.want) {
				t.Errorf("want %q, got\n%v", row.want, err)
			}
		})
	}
}

func TestImport_refuses_options_that_no_tree_could_have(t *testing.T) {
	t.Parallel()
	_, _, err := triage.Import([]byte(`{"a":{"b":"C"}}`), triage.ImportOptions{
		Name: "a b", Version: "", Trade: "?", Priority: "soon", Trades: map[string]string{"": "x", "A": "! "},
	})
	if got := faults(t, err); len(got) != 6 {
		t.Errorf("want six faults, got\n%v", err)
	}
}

func TestImport_round_trips_any_mapping(t *testing.T) {
	t.Parallel()
	key := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9_-]{0,9}|yes|no|null|true|1e3|0x1F|[a-z]{3,8}[A-Z]{1,4}[a-z]{0,5}`)
	code := rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._/-]{0,11}`), rapid.SampledFrom([]string{"N1", "null", "1.50", "2026-01-01"}))
	leaf := rapid.Custom(func(t *rapid.T) any {
		if rapid.IntRange(0, 9).Draw(t, "null") == 0 {
			return nil
		}
		return code.Draw(t, "code")
	})
	faults := rapid.Custom(func(t *rapid.T) any { return rapid.MapOfN(key, leaf, 1, 4).Draw(t, "faults") })
	mapping := rapid.MapOfN(key, rapid.MapOfN(key, rapid.OneOf(leaf, faults), 1, 4), 1, 4)
	rapid.Check(t, func(t *rapid.T) {
		data, err := json.MarshalIndent(mapping.Draw(t, "mapping"), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, data)
	})
}

func TestParseTrades_reads_a_trade_for_each_prefix(t *testing.T) {
	t.Parallel()
	want := map[string]string{"N63": "plumbing", "N8": "electrical"}
	for _, text := range []string{"prefix,trade\nN63,plumbing\nN8,electrical\n", "\ufeffprefix,trade\r\n\"N63\",plumbing\r\n\r\nN8,electrical"} {
		got, err := triage.ParseTrades([]byte(text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
}

func TestParseTrades_refuses(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, text, want string }{
		{"nothing", "", "line 1: the first line should be prefix,trade"},
		{"another header", "code,trade\n", "line 1: the first line should be prefix,trade"},
		{"a row of three", "prefix,trade\nN1,a,b\n", "line 2: a row is a prefix and a trade; this one has 3 fields"},
		{"no prefix", "prefix,trade\n,a\n", `line 2: "" is not how a code starts`},
		{"no trade", "prefix,trade\nN1,\n", `line 2: N1: "" is not a trade`},
		{"a prefix twice", "prefix,trade\nN1,a\n\nN1,b\n", "line 4: N1: this prefix is there twice"},
		{"what is not CSV", "prefix,trade\nN1,\"a\n", "this is not CSV"},
		{"what is not UTF-8", "prefix,trade\nN1,\xff\n", "line 2: the file is not UTF-8"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := triage.ParseTrades([]byte(row.text))
			if got := faults(t, err)[0]; !strings.HasPrefix(got.String(), row.want) && !strings.HasPrefix(got.Text, row.want) {
				t.Errorf("want %q, got\n%v", row.want, err)
			}
		})
	}
}

func ExampleImport() {
	file, warnings, _ := triage.Import([]byte(`{"kitchen": {"sink": {"taps": "N63", "plug": ""}}}`), triage.ImportOptions{
		Name: "lincoln", Version: "2026-11-22", Trades: map[string]string{"N6": "plumbing"},
	})
	fmt.Print(string(file))
	fmt.Println(warnings[0])
	// Output:
	// tree: lincoln
	// version: "2026-11-22"
	// codes:
	//   - {code: N63, text: 'Sink: Taps', trade: plumbing}
	// locations:
	//   kitchen:
	//     text: Kitchen
	//     components:
	//       sink:
	//         text: Sink
	//         faults:
	//           taps: {text: Taps, outcome: landlord, trade: plumbing, priority: normal, sor: [N63]}
	//           plug: {text: Plug, outcome: landlord, trade: general, priority: normal, needs_person: true}
	// line 1: kitchen/sink/plug: there is no code; a person must decide what to order
}
