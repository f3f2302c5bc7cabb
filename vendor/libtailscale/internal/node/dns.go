package node

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"tailscale.com/util/dnsname"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

const (
	// dnsTimeout is longer than an exit node gives itself for an answer, which is five seconds.
	dnsTimeout = 6 * time.Second
	// otherKind is how long the answer for the other kind of addresses may take once there are some of one kind.
	otherKind = time.Second
)

// found is what DNS servers say of a name.
type found struct {
	ips   []netip.Addr
	alias dnsname.FQDN // where the name's aliases end, when they end at a name of which nothing is said
	none  bool         // there is no such name
	by    server
}

// lookUp asks the servers for the addresses of name, IPv4 first. Those of each kind are a question of its own, and one of
// them may be answered well while the other is not: there are servers that fail on AAAA, or never answer it.
func lookUp(ctx context.Context, dial dialer, name dnsname.FQDN, servers []server) (found, error) {
	ctx, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()
	type outcome struct {
		kind int
		found
		err error
	}
	kinds := [...]dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA}
	outcomes := make(chan outcome, len(kinds))
	for i, kind := range kinds {
		safely.Go(func() {
			o := outcome{kind: i}
			o.found, o.err = safely.Call(func() (found, error) { return askAll(ctx, dial, name, kind, servers) })
			outcomes <- o
		}, nil)
	}
	var answers [len(kinds)]found
	var failed error
	enough := (<-chan time.Time)(nil)
wait:
	for range kinds {
		select {
		case o := <-outcomes:
			answers[o.kind] = o.found
			if o.err != nil && failed == nil {
				failed = o.err
			}
			if len(o.ips) > 0 {
				enough = time.After(otherKind)
			}
		case <-enough:
			break wait
		case <-ctx.Done():
			failed = cmp.Or(failed, noAnswer(servers))
			break wait
		}
	}
	whole := answers[0]
	if whole.by == nil || whole.alias == "" && answers[1].alias != "" {
		whole = answers[1]
	}
	whole.ips = append(answers[0].ips, answers[1].ips...)
	if len(whole.ips) > 0 || whole.alias != "" || whole.none || failed == nil {
		return whole, nil
	}
	return found{}, failed
}

// askAll asks one server after the other for the addresses of one kind. The first to know wins, and one that says that
// there are none knows that.
func askAll(ctx context.Context, dial dialer, name dnsname.FQDN, kind dnsmessage.Type, servers []server) (found, error) {
	question, err := questionFor(name, kind)
	if err != nil {
		return found{}, err
	}
	attempts := make([]func(context.Context) (found, error), len(servers))
	for i, server := range servers {
		attempts[i] = func(ctx context.Context) (f found, err error) {
			reply, err := server.exchange(ctx, dial, question)
			if err == nil {
				f, err = readReply(reply, name)
			}
			if err != nil {
				return f, errs.New(errs.Unreachable, "%s: %v", server, errs.Of(ctx, err))
			}
			f.by = server
			return f, nil
		}
	}
	f, err := race(ctx, raceAfter, func(found) {}, attempts...)
	if err != nil && ctx.Err() != nil {
		err = noAnswer(servers)
	}
	return f, err
}

// noAnswer is the error when the time for a look-up has passed. A server that has failed gave no answer, either.
func noAnswer(servers []server) error {
	names := make([]string, len(servers))
	for i, server := range servers {
		names[i] = server.String()
	}
	return fmt.Errorf("no answer in time from %s", strings.Join(names, " and "))
}

// rcodes are the names of the codes with which servers fail (RFC 1035, section 4.1.1).
var rcodes = map[dnsmessage.RCode]string{
	dnsmessage.RCodeFormatError: "FORMERR", dnsmessage.RCodeServerFailure: "SERVFAIL", dnsmessage.RCodeNameError: "NXDOMAIN",
	dnsmessage.RCodeNotImplemented: "NOTIMP", dnsmessage.RCodeRefused: "REFUSED",
}

func questionFor(name dnsname.FQDN, kind dnsmessage.Type) ([]byte, error) {
	qname, err := dnsmessage.NewName(name.WithTrailingDot())
	if err != nil {
		return nil, err
	}
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: uint16(rand.Uint32()), RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: qname, Type: kind, Class: dnsmessage.ClassINET}},
	}
	return message.Pack()
}

// headerSize is that of a message (RFC 1035, section 4.1.1).
const headerSize = 12

// isReply is whether reply answers question: it has its number, and repeats it, which a server that failed need not.
func isReply(reply, question []byte) bool {
	if len(reply) < headerSize || reply[2]&0x80 == 0 || !bytes.Equal(reply[:2], question[:2]) {
		return false
	}
	if binary.BigEndian.Uint16(reply[4:]) == 0 {
		return true
	}
	return len(reply) >= len(question) && bytes.EqualFold(reply[headerSize:len(question)], question[headerSize:])
}

func isTruncated(reply []byte) bool { return reply[2]&0x02 != 0 }

func checked(reply, question []byte) ([]byte, error) {
	if !isReply(reply, question) {
		return nil, errors.New("the answer is to another question")
	}
	return reply, nil
}

// readReply gives what a reply says of name. A name that does not exist has no address.
func readReply(packed []byte, name dnsname.FQDN) (f found, err error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(packed)
	if err != nil {
		return f, err
	}
	if header.RCode != dnsmessage.RCodeSuccess && header.RCode != dnsmessage.RCodeNameError {
		return f, errors.New("it answers " + cmp.Or(rcodes[header.RCode], header.RCode.String()))
	}
	if err := parser.SkipAllQuestions(); err != nil {
		return f, err
	}
	addresses, aliases := map[string][]netip.Addr{}, map[string]string{}
	for {
		resource, err := parser.Answer()
		if errors.Is(err, dnsmessage.ErrSectionDone) || err != nil && header.Truncated {
			break
		}
		if err != nil {
			return f, err
		}
		owner := strings.ToLower(resource.Header.Name.String())
		switch body := resource.Body.(type) {
		case *dnsmessage.AResource:
			addresses[owner] = append(addresses[owner], netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			addresses[owner] = append(addresses[owner], netip.AddrFrom16(body.AAAA))
		case *dnsmessage.CNAMEResource:
			aliases[owner] = strings.ToLower(body.CNAME.String())
		}
	}
	owner := name.WithTrailingDot()
	for range len(aliases) + 1 {
		if f.ips = addresses[owner]; len(f.ips) > 0 {
			return f, nil
		}
		next, ok := aliases[owner]
		if !ok {
			break
		}
		owner = next
	}
	f.none = header.RCode == dnsmessage.RCodeNameError
	if !f.none && owner != name.WithTrailingDot() {
		f.alias, err = dnsname.ToFQDN(owner)
	}
	return f, err
}
