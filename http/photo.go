package http

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/projections"
)

// Photos keeps the photos of repairs.
type Photos interface {
	// Put guards, normalises and stores an image. key is the caller's idempotency key, or empty.
	Put(ctx context.Context, uploader, key string, body io.Reader) (photo domain.ID, replayed bool, err error)
	// Open is a photo as JPEG, or its thumbnail.
	Open(ctx context.Context, photo domain.ID, thumbnail bool) ([]byte, error)
}

// photoMax bounds an upload, in bytes; what is beyond is not read.
const photoMax = 12 << 20

type postPhoto struct {
	Key string `header:"Idempotency-Key" doc:"The same key from the same token is the same photo"`
}

type photoShown struct {
	Photo domain.ID `json:"photo" doc:"To be named in a report or an action"`
}

func (s *Server) postPhoto(ctx context.Context, in *postPhoto) (*answer[photoShown], error) {
	c := callOf(ctx)
	if in.Key != "" && !isKey(in.Key) {
		return nil, c.problem(malformed("header.Idempotency-Key", "is not 1 to 255 visible ASCII characters"))
	}
	if c.r.ContentLength > photoMax {
		return nil, c.problem(tooLarge(photoMax))
	}
	if s.uploads.Add(1) > uploadsMax {
		s.uploads.Add(-1)
		return nil, c.problem(tooManyUploads())
	}
	defer s.uploads.Add(-1)
	control := http.NewResponseController(c.ResponseWriter)
	_ = control.SetReadDeadline(s.Now().Add(uploadTime)) // a connection that knows no deadlines needs none set
	_ = control.SetWriteDeadline(s.Now().Add(uploadTime + silenceMax))
	photo, replayed, err := s.Photos.Put(ctx, c.token.ID, in.Key, &upload{c.r.Body, photoMax})
	if err != nil {
		return nil, c.problem(err)
	}
	if replayed {
		c.Header()["Idempotent-Replayed"] = []string{"true"}
	}
	c.known()
	return &answer[photoShown]{Status: http.StatusCreated, Body: photoShown{photo}}, nil
}

// uploadsMax bounds how many uploads are held in memory at once.
const uploadsMax = 16

func tooManyUploads() *Problem {
	return newProblem(http.StatusServiceUnavailable, "too-many-uploads", "Many others are sending photos. Send the same request again.").
		with("Retry-After", retryAfter).with("Connection", "close")
}

// upload is a body as it comes: what is too large or breaks off is a problem of the request.
type upload struct {
	body io.Reader
	left int
}

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.body.Read(p)
	u.left -= n
	switch {
	case u.left < 0:
		return n, tooLarge(photoMax)
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	}
	return n, brokenOff(err)
}

type getPhoto struct {
	Photo string `path:"photo"`
	Size  string `query:"size" enum:"full,thumb" default:"full" doc:"thumb: at most 320 pixels a side"`
}

// photo shows a photo to staff, and to whoever may see all of a repair that names it.
func (s *Server) photo(c *call, q *getPhoto) error {
	err := s.Views.Read(c.r.Context(), func(v *projections.Reader) error {
		c.at(v.Position())
		if staff.has(c.token.Role) {
			return nil
		}
		repairs, err := v.RepairOfPhoto(q.Photo)
		if err != nil {
			return err
		}
		for _, id := range repairs {
			_, own, err := s.repairSeen(c, v, id)
			switch {
			case err == nil && own:
				return nil
			case err != nil && !errors.Is(err, errForeign) && !isNotFound(err):
				return err
			}
		}
		hazards, err := v.HazardsOfPhoto(q.Photo)
		if err != nil {
			return err
		}
		for _, id := range hazards {
			_, err := s.hazardSeen(c, v, id)
			switch {
			case err == nil && c.token.Role != commands.RoleContractor:
				return nil
			case err != nil && !errors.Is(err, errForeign) && !isNotFound(err):
				return err
			}
		}
		return errForeign
	})
	if err != nil {
		return err
	}
	image, err := s.Photos.Open(c.r.Context(), domain.ID(q.Photo), q.Size == "thumb")
	if err != nil {
		return err
	}
	header := c.Header()
	header.Set("Content-Type", typeJPEG)
	header.Set("Content-Disposition", "inline")
	_, err = c.Write(image)
	return err
}

const typeJPEG = "image/jpeg"

// uploadRow is the row of an upload, whose body is no JSON.
func uploadRow() row {
	return row{
		method: http.MethodPost, path: "/photos", summary: "Send a photo, to be named in a report or an action", who: actors,
		upload: photoBody(), statuses: []int{http.StatusCreated},
	}
}

// uploadTime is how long an upload may take, over a telephone.
const uploadTime = 2 * time.Minute

// photoBody describes what an upload is.
func photoBody() *huma.RequestBody {
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	return &huma.RequestBody{
		Required: true, Description: "JPEG, PNG or WebP, at most 12 MiB and 40 megapixels. What it says besides its pixels is removed.",
		Content: map[string]*huma.MediaType{"image/jpeg": binary, "image/png": binary, "image/webp": binary},
	}
}
