package node_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/node"
)

// The table also holds the checks of programs that use this library, in whatever language.
func TestATextIsAcceptedOrRefusedAsTheTableOfRulesSays(t *testing.T) {
	table, err := os.ReadFile("../../testdata/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	var rules map[string]struct{ Accepted, Refused []string }
	if err := json.Unmarshal(table, &rules); err != nil {
		t.Fatal(err)
	}
	configs := map[string]func(text string) any{
		"hostname":    func(text string) any { return map[string]any{"hostname": text} },
		"tag":         func(text string) any { return map[string]any{"tags": []string{text}} },
		"control_url": func(text string) any { return map[string]any{"control_url": text} },
	}
	if len(rules) != len(configs) {
		t.Errorf("%d rules, %d are tested", len(rules), len(configs))
	}
	for rule, config := range configs {
		for accepted, texts := range map[bool][]string{true: rules[rule].Accepted, false: rules[rule].Refused} {
			if len(texts) == 0 {
				t.Errorf("%s: nothing is tested", rule)
			}
			for _, text := range texts {
				asJSON, _ := json.Marshal(config(text))
				if _, err := node.ParseConfig(asJSON); (err == nil) != accepted {
					t.Errorf("%s %q: %v, accepted in the table: %v", rule, text, err, accepted)
				}
			}
		}
	}
}
