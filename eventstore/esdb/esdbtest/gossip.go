package esdbtest

import (
	"context"
	"net"
	"strconv"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/google/uuid"
)

// gossipService stands between, because two services have a method named Read.
type gossipService struct {
	gossip.UnimplementedGossipServer
	life *life
}

// Read says who is in the cluster and who leads.
func (g gossipService) Read(ctx context.Context, _ *shared.Empty) (*gossip.ClusterInfo, error) {
	s := g.life.server
	if err := g.life.call(ctx, Gossip, "").interrupt(false); err != nil {
		return nil, err
	}
	info, leader := &gossip.ClusterInfo{}, s.Leader()
	for i, n := range s.nodes {
		m, err := n.member(i == leader)
		if err != nil {
			return nil, err
		}
		info.Members = append(info.Members, m)
	}
	return info, nil
}

func (n *node) member(leads bool) (*gossip.MemberInfo, error) {
	host, port, err := net.SplitHostPort(n.addr)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	state := gossip.MemberInfo_Follower
	if leads {
		state = gossip.MemberInfo_Leader
	}
	most, least := esdb.UUIDAsInt64(uuid.NewSHA1(uuid.NameSpaceURL, []byte(n.addr)))
	return &gossip.MemberInfo{
		InstanceId: &shared.UUID{Value: &shared.UUID_Structured_{
			Structured: &shared.UUID_Structured{MostSignificantBits: most, LeastSignificantBits: least},
		}},
		TimeStamp:    n.server.options.Now().UnixNano() / 100,
		State:        state,
		IsAlive:      n.alive(),
		HttpEndPoint: &gossip.EndPoint{Address: host, Port: uint32(number)},
	}, nil
}

// GetSupportedMethods says what there is, in lower case as the server does, and its version.
func (l *life) GetSupportedMethods(ctx context.Context, _ *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	c := l.call(ctx, Features, "")
	if err := c.interrupt(false); err != nil {
		return nil, err
	}
	supported := &serverfeatures.SupportedMethods{EventStoreServerVersion: l.server.options.Version}
	if c.strike(false, VersionSuffix) != nil {
		supported.EventStoreServerVersion += "-prerelease"
	}
	for _, m := range []struct{ service, method string }{
		{"event_store.client.streams.streams", "read"},
		{"event_store.client.streams.streams", "append"},
		{"event_store.client.streams.streams", "delete"},
		{"event_store.client.streams.streams", "tombstone"},
		{"event_store.client.gossip.gossip", "read"},
		{"event_store.client.server_features.serverfeatures", "getsupportedmethods"},
	} {
		supported.Methods = append(supported.Methods, &serverfeatures.SupportedMethod{ServiceName: m.service, MethodName: m.method})
	}
	return supported, nil
}
