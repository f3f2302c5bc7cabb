package sandbox

import "testing"

func TestAServiceThatMakesNoSenseIsRefused(t *testing.T) {
	for _, service := range []Service{
		{Kind: ""},
		{Kind: "shell"},
		{Kind: "forward"},
		{Kind: "forward", Target: "localhost:80"},
		{Kind: "forward", Target: "192.0.2.1:80"},
		{Kind: "forward", Target: "[2001:db8::1]:80"},
	} {
		if _, err := service.handler(); err == nil {
			t.Errorf("%+v is accepted", service)
		}
	}
}
