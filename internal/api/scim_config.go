package api

import (
	"strings"

	"github.com/picketsec/picket/internal/server"
)

type object = map[string]any

const scimURN = "urn:ietf:params:scim:schemas:core:2.0:"

// scimConfig is what the server can do (RFC 7643, section 5).
func scimConfig(base string) object {
	no := object{"supported": false}
	return object{
		"schemas": []string{scimURN + "ServiceProviderConfig"}, "patch": object{"supported": true}, "bulk": object{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter": object{"supported": true, "maxResults": 500}, "changePassword": no, "sort": no, "etag": object{"supported": true},
		"authenticationSchemes": []object{{"type": "oauthbearertoken", "name": "Bearer token", "description": "The token that Picket shows once under Settings, Sign-in.", "primary": true}},
		"meta":                  object{"resourceType": "ServiceProviderConfig", "location": base + "/ServiceProviderConfig"},
	}
}

func scimTypes(base string) []object {
	kind := func(name, path string) object {
		return object{"schemas": []string{scimURN + "ResourceType"}, "id": name, "name": name, "endpoint": path, "schema": scimURN + name,
			"meta": object{"resourceType": "ResourceType", "location": base + "/ResourceTypes/" + name}}
	}
	return []object{kind("User", "/Users"), kind("Group", "/Groups")}
}

// scimAttribute describes an attribute (RFC 7643, section 7).
func scimAttribute(name, kind string, more object, subs ...object) object {
	a := object{"name": name, "type": kind, "multiValued": false, "required": false, "caseExact": false, "mutability": "readWrite", "returned": "default", "uniqueness": "none"}
	for k, v := range more {
		a[k] = v
	}
	if len(subs) > 0 {
		a["subAttributes"] = subs
	}
	return a
}

func scimSchemas(base string) []object {
	schema := func(name, about string, attributes ...object) object {
		return object{"schemas": []string{scimURN + "Schema"}, "id": scimURN + name, "name": name, "description": about, "attributes": attributes,
			"meta": object{"resourceType": "Schema", "location": base + "/Schemas/" + scimURN + name}}
	}
	text := func(name string) object { return scimAttribute(name, "string", nil) }
	external := scimAttribute("externalId", "string", object{"caseExact": true})
	return []object{
		schema("User", "A person who signs in",
			scimAttribute("userName", "string", object{"required": true, "uniqueness": "server"}), external, text("displayName"), text("title"), scimAttribute("active", "boolean", nil),
			scimAttribute("name", "complex", nil, text("formatted"), text("givenName"), text("familyName")),
			scimAttribute("emails", "complex", object{"multiValued": true}, text("value"), text("type"), scimAttribute("primary", "boolean", nil))),
		schema("Group", "A user group, which roles and device groups are given to",
			scimAttribute("displayName", "string", object{"required": true, "uniqueness": "server"}), external,
			scimAttribute("members", "complex", object{"multiValued": true}, text("value"))),
	}
}

func scimList(list []object) object {
	return object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": len(list), "startIndex": 1, "itemsPerPage": len(list), "Resources": list}
}

func scimOne(list []object, id string) (any, error) {
	for _, o := range list {
		if have, _ := o["id"].(string); strings.EqualFold(have, id) {
			return o, nil
		}
	}
	return nil, server.ErrNotFound
}
