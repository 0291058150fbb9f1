package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/server"
)

// GroupID is the number of a device group in a path.
type GroupID struct {
	ID int `path:"id" minimum:"1" maximum:"65000" doc:"Number of the device group."`
}

type saveGroupIn struct {
	GroupID
	Body server.RuleEdit
}

type groupAccessIn struct {
	ID   int `path:"id" minimum:"0" maximum:"65000" doc:"Number of the device group; 0: the devices in none."`
	Body server.GroupAccess
}

type newRulesIn struct {
	Body server.RuleEdit
}

type orderIn struct {
	Body struct {
		Order []exposure.Group `json:"order" maxItems:"500" doc:"Every group but 0, the one of the best rank first."`
	}
}

type previewIn struct {
	Body server.PreviewAsk
}

// TagRuleID is the number of the rules of a tag in a path.
type TagRuleID struct {
	ID int64 `path:"id" minimum:"1" doc:"Number of the rules."`
}

type saveTagRuleIn struct {
	TagRuleID
	Body server.RuleEdit
}

type tagsIn struct {
	Body server.TagChange
}

// send registers a route that changes something and answers a value.
func send[I, T any](c *console, op huma.Operation, do func(ctx context.Context, caller server.Caller, in *I) (T, error)) {
	op.Errors, op.MaxBodyBytes = readErrors, maxBody
	huma.Register(c.api, op, func(ctx context.Context, in *I) (*body[T], error) {
		v, err := do(ctx, callerOf(ctx), in)
		if err != nil {
			return nil, c.problem(ctx, op.OperationID, err)
		}
		return &body[T]{Body: v}, nil
	})
}

// quietly registers a route that changes something and answers nothing.
func quietly[I any](c *console, op huma.Operation, do func(ctx context.Context, caller server.Caller, in *I) error) {
	op.Errors, op.MaxBodyBytes, op.DefaultStatus = readErrors, maxBody, http.StatusNoContent
	huma.Register(c.api, op, func(ctx context.Context, in *I) (*empty, error) {
		if err := do(ctx, callerOf(ctx), in); err != nil {
			return nil, c.problem(ctx, op.OperationID, err)
		}
		return nil, nil
	})
}

// groupingRoutes are device groups, tags and the rules for both.
func (c *console) groupingRoutes() {
	get(c, "device-groups", "/device-groups", "Device groups by rank, whichever are selected", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.DeviceGroup, error) {
		return c.srv.DeviceGroups(ctx, caller)
	})
	send(c, huma.Operation{OperationID: "create-device-group", Method: http.MethodPost, Path: "/device-groups", Summary: "Make a device group, of the last rank", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *newRulesIn) (server.DeviceGroup, error) {
			return c.srv.SaveDeviceGroup(ctx, caller, 0, in.Body)
		})
	send(c, huma.Operation{OperationID: "save-device-group", Method: http.MethodPut, Path: "/device-groups/{id}", Summary: "Change a device group"},
		func(ctx context.Context, caller server.Caller, in *saveGroupIn) (server.DeviceGroup, error) {
			return c.srv.SaveDeviceGroup(ctx, caller, exposure.Group(in.ID), in.Body)
		})
	send(c, huma.Operation{OperationID: "set-device-group-access", Method: http.MethodPut, Path: "/device-groups/{id}/access", Summary: "Say which user groups see a device group"},
		func(ctx context.Context, caller server.Caller, in *groupAccessIn) (server.DeviceGroup, error) {
			return c.srv.SetGroupAccess(ctx, caller, exposure.Group(in.ID), in.Body)
		})
	quietly(c, huma.Operation{OperationID: "delete-device-group", Method: http.MethodDelete, Path: "/device-groups/{id}", Summary: "Delete a device group; its devices go on to other groups"},
		func(ctx context.Context, caller server.Caller, in *GroupID) error {
			return c.srv.DeleteDeviceGroup(ctx, caller, exposure.Group(in.ID))
		})
	quietly(c, huma.Operation{OperationID: "order-device-groups", Method: http.MethodPut, Path: "/device-groups/order", Summary: "Rank the device groups"},
		func(ctx context.Context, caller server.Caller, in *orderIn) error {
			return c.srv.OrderDeviceGroups(ctx, caller, in.Body.Order)
		})
	send(c, huma.Operation{OperationID: "preview-device-group", Method: http.MethodPost, Path: "/device-groups/preview", Summary: "What a device group would hold with these rules"},
		func(ctx context.Context, caller server.Caller, in *previewIn) (server.RulePreview, error) {
			return c.srv.PreviewDeviceGroup(ctx, caller, exposure.Group(in.Body.ID), in.Body.Rules)
		})

	get(c, "tag-rules", "/tag-rules", "Rules that give tags", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.TagRule, error) {
		return c.srv.TagRules(ctx, caller)
	})
	send(c, huma.Operation{OperationID: "create-tag-rule", Method: http.MethodPost, Path: "/tag-rules", Summary: "Give a tag by rules", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *newRulesIn) (server.TagRule, error) {
			return c.srv.SaveTagRule(ctx, caller, 0, in.Body)
		})
	send(c, huma.Operation{OperationID: "save-tag-rule", Method: http.MethodPut, Path: "/tag-rules/{id}", Summary: "Change the rules of a tag"},
		func(ctx context.Context, caller server.Caller, in *saveTagRuleIn) (server.TagRule, error) {
			return c.srv.SaveTagRule(ctx, caller, in.ID, in.Body)
		})
	quietly(c, huma.Operation{OperationID: "delete-tag-rule", Method: http.MethodDelete, Path: "/tag-rules/{id}", Summary: "Delete the rules of a tag; devices have it no more"},
		func(ctx context.Context, caller server.Caller, in *TagRuleID) error {
			return c.srv.DeleteTagRule(ctx, caller, in.ID)
		})
	send(c, huma.Operation{OperationID: "preview-tag-rule", Method: http.MethodPost, Path: "/tag-rules/preview", Summary: "Which devices would have a tag by these rules"},
		func(ctx context.Context, caller server.Caller, in *previewIn) (server.RulePreview, error) {
			return c.srv.PreviewTagRule(ctx, caller, in.Body.ID, in.Body.Rules)
		})

	get(c, "tags", "/tags", "Tags of devices, with who gives them", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.TagRow, error) {
		return c.srv.Tags(ctx, caller)
	})
	send(c, huma.Operation{OperationID: "change-tags", Method: http.MethodPost, Path: "/tags", Summary: "Give manual tags to devices, or take them away"},
		func(ctx context.Context, caller server.Caller, in *tagsIn) (server.TagResult, error) {
			return c.srv.ChangeTags(ctx, caller, in.Body)
		})
}
