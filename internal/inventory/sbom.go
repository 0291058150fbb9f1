package inventory

// SBOM is the section of what a bill of materials lists beyond the sections
// above: Packages whose ecosystem is the type of their package URL ("cargo"),
// and in its reason what could not be read. No agent sends it.
const SBOM SectionName = "sbom"
