import Compiler

/// An artifact of a job of a master.
struct RemoteArtifact {
    let name: String
    let size: Int64
    /// `sha256:` and digits; of a folder, what its tree is known by.
    let digest: String
    let isFolder: Bool

    /// Reads one from what a master answered; `nil` when it is none.
    init?(_ value: JSONValue) {
        guard let name = value["name"]?.text, !name.isEmpty else { return nil }
        self.name = name
        size = value["size"]?.number ?? 0
        digest = value["digest"]?.text ?? ""
        isFolder = value["folder"] == .bool(true)
    }
}
