package sqlite

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"rentbook/eventstore"
)

// checksum is CRC-32C over all that an event says, its place included. SQLite's pages have none: a
// byte that a disk lost in the middle of an event would be read as if it had been recorded.
func checksum(e *eventstore.Recorded) int64 {
	var buf [512]byte
	b := binary.LittleEndian.AppendUint64(buf[:0], e.Position.Commit)
	b = binary.LittleEndian.AppendUint64(b, uint64(e.Version))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.At.UnixMicro()))
	m := &e.Metadata
	for _, id := range [][16]byte{e.ID, m.Command, m.Correlation, m.Causation} {
		b = append(b, id[:]...)
	}
	for _, text := range []string{string(e.Stream), e.Type, m.Actor.ID, m.Actor.Role, m.Actor.OnBehalfOf, m.Authority} {
		b = append(append(b, text...), 0)
	}
	table := crc32.MakeTable(crc32.Castagnoli) // made once, by the package
	return int64(crc32.Update(crc32.Update(0, table, b), table, e.Data))
}

// sound refuses an event that is not what was recorded.
func sound(e *eventstore.Recorded, recorded int64) error {
	if checksum(e) != recorded {
		return fmt.Errorf("the log is damaged: the event at position %s is not what was recorded", e.Position)
	}
	return nil
}
