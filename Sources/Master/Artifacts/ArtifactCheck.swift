internal import Glibc

/// Compares an artifact with what is recorded of it. It waits for the disk.
struct ArtifactCheck {
    /// Of the job.
    let folder: String

    /// What is wrong with one, as the rest of a sentence; `nil` when nothing is.
    func problem(_ artifact: Artifact) -> String? {
        let path = "\(folder)/\(ArtifactScan.folderName)"
        let root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard root >= 0 else { return "is not there: \(String(cString: strerror(errno)))" }
        defer { close(root) }
        let name = Array(artifact.name.utf8)
        do {
            let digest =
                switch artifact.kind {
                case .file: try ArtifactScan.digest(ofFile: name, in: root).0
                case .folder:
                    try ArtifactScan.digest(ofFolder: "\(path)/\(artifact.name)", name: name)
                }
            return digest == artifact.digest ? nil : "is another than it was"
        } catch ArtifactProblem.system(_, _, let number) {
            return "cannot be read: \(String(cString: strerror(number)))"
        } catch {
            return "cannot be read: \(error)"
        }
    }
}
