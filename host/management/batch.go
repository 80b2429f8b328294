package management

import (
	"iter"

	"google.golang.org/protobuf/proto"
)

// mostBatch bounds the rows of one message, in bytes, well below the 4 MiB that
// gRPC accepts: how many rows make that depends on an account's grants and on a
// session's transactions.
const mostBatch = 1 << 20

// inBatches yields all rows in their order, as many at once as fit in
// mostBatch. A row that alone does not fit comes alone.
func inBatches[M proto.Message](rows []M) iter.Seq[[]M] {
	return func(yield func([]M) bool) {
		from, size := 0, 0
		for i, row := range rows {
			n := proto.Size(row)
			if i > from && size+n > mostBatch {
				if !yield(rows[from:i]) {
					return
				}
				from, size = i, 0
			}
			size += n
		}
		if from < len(rows) {
			yield(rows[from:])
		}
	}
}
