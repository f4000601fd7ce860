#include "cli/lint.h"

static const struct lint_rule rules[] = {
    {"unreadable", LINT_ERROR, "The file cannot be read.",
     "kubectl and Crossplane cannot read it either.",
     "Check the path and its permissions."},
    {"yaml", LINT_ERROR, "The text is no YAML or JSON.",
     "Nothing of the file is applied.", "Mend the line that is named."},
    {"kind", LINT_ERROR, "A document has no apiVersion, kind or name.",
     "The API server refuses it.", "Say apiVersion, kind and metadata.name."},
    {"no-object", LINT_INFO, "A document is no Kubernetes object.",
     "kubectl refuses it; a folder may hold other files.",
     "Keep it out of what is applied."},
    {"duplicate", LINT_ERROR, "Two documents are the same object.",
     "The later one overwrites the earlier one when both are applied.",
     "Remove one or give it another name."},
    {"schema", LINT_ERROR, "A value does not fit the schema of its kind.",
     "The API server refuses the object (422 Invalid).",
     "Set a value that the schema allows."},
    {"unknown-field", LINT_ERROR, "The schema has no such field.",
     "kubectl apply refuses it; other clients lose the field silently.",
     "Check its spelling and where it stands, or add it to the XRD."},
    {"cel", LINT_ERROR, "A validation rule of the kind does not hold.",
     "The API server refuses the object (422 Invalid).",
     "Do what the rule's message says."},
    {"xrd", LINT_ERROR, "No definition can be made of the XRD.",
     "The API server takes it, but it is never established: only its events "
     "say why.",
     "Mend the field that is named."},
    {"xrd-names", LINT_ERROR, "Two XRDs of a group share a name.",
     "The second definition is not accepted (NamesAccepted is False).",
     "Choose another plural, singular, kind or listKind."},
    {"xrd-v1", LINT_INFO, "The XRD is of apiextensions.crossplane.io/v1.",
     "It is deprecated: its resources are cluster-scoped, with claims.",
     "Move to v2 with scope Namespaced."},
    {"composition-type", LINT_ERROR,
     "No composite resource is of the Composition's type.", "It is never used.",
     "Say the XRD's group, its referenceable version and its kind."},
    {"function-missing", LINT_ERROR, "A step's Function is not there.",
     "Composing fails at that step; no resource is made.",
     "Add the Function object, or the package to dependsOn."},
    {"function-foreign", LINT_INFO, "A step's function is not built in.",
     "Its input is not checked here; on a cluster it runs.",
     "Nothing, or try it with meshtop up --engine kind."},
    {"function-input", LINT_ERROR, "A function refuses a step's input.",
     "Composing fails at that step; no resource is made.",
     "Mend the input where the message says."},
    {"compose-fails", LINT_ERROR,
     "The Composition fails for a resource of these files.",
     "Its condition Synced is False and nothing is made.",
     "meshtop render shows the steps."},
    {"composition-none", LINT_ERROR, "No Composition fits the resource.",
     "It stays without: Synced is False.",
     "Check compositionRef, compositionSelector and the Compositions' labels."},
    {"fixed-name", LINT_WARNING,
     "A composed resource has the same name for every composite resource.",
     "A second one in the namespace stays unsynced for ever: the object has "
     "another controller.",
     "Put the composite resource's name into it, or leave the name out."},
    {"never-ready", LINT_WARNING,
     "No step says when the composed resources are ready.",
     "The composite resource never becomes Ready.",
     "Add function-auto-ready as the last step, or readiness to the "
     "template."},
    {"unknown-read", LINT_WARNING,
     "A template reads a field that the XRD's schema does not have.",
     "It is always absent and prints <no value>.",
     "Check its spelling, add it to the XRD, or give it a default."},
    {"no-value", LINT_WARNING, "A composed resource has <no value> in it.",
     "A template printed a field that is absent.",
     "Give it a default: {{ .x | default \"...\" }}."},
    {"composed-invalid", LINT_ERROR,
     "A composed resource does not fit the schema of its kind.",
     "The API server refuses or prunes it; the composite resource stays "
     "unsynced.",
     "Mend the Composition's template or base."},
    {"label-absent", LINT_WARNING,
     "A selector asks for labels that no object of these files has.",
     "Nothing is found; what depends on it is not composed.",
     "Add the labels, or mend the selector."},
    {"package", LINT_ERROR, "The folder makes no package.",
     "Crossplane does not install it.", "Do what the message says."},
    {"expectations", LINT_ERROR,
     "An expectation names an object that is not in these files.",
     "meshtop verify misses it.", "Add the object or mend the name."},
    {"MESH-101", LINT_WARNING, "An active product has no output port.",
     "Nobody can read it.", "Add a port with direction output."},
    {"MESH-102", LINT_WARNING,
     "An output port of an active product has no contract.",
     "Its readers have no promise.", "Say contractRef."},
    {"MESH-103", LINT_ERROR,
     "A product with personal data is not confidential or restricted.",
     "The policy denies it.", "Raise spec.classification."},
    {"MESH-104", LINT_ERROR, "A port is classified above its product.",
     "The policy denies it.", "Raise the product's classification."},
    {"MESH-105", LINT_ERROR,
     "A port is shared publicly, but the product is not public.",
     "The policy denies it.", "Change sharing or the classification."},
    {"MESH-301", LINT_ERROR, "The product's domain is not there.",
     "DomainResolved is False; nothing is composed for it.",
     "Add the DataDomain or mend dataDomainRef."},
    {"MESH-302", LINT_ERROR, "An input's product or port is not there.",
     "InputsResolved is False.", "Add it or mend the input."},
    {"MESH-303", LINT_ERROR, "A port's contract is not there.",
     "ContractsValid is False.", "Add the DataContract or mend contractRef."},
};

const struct lint_rule *
lint_rule_find(const char *id)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strcmp(rules[i].id, id) == 0)
            return &rules[i];
    }
    return NULL;
}

const struct lint_rule *
lint_rule_at(size_t i)
{
    return i < ARRAY_LEN(rules) ? &rules[i] : NULL;
}

const char *
lint_severity_name(enum lint_severity s)
{
    static const char *const names[] = {"error", "warning", "info"};

    return names[s];
}
