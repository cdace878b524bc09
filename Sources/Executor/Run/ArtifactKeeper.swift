internal import CSandbox
internal import Glibc
internal import PipelineIR

/// Keeps what a danubefile uploads, in `danube-out/` of the repository or in the job's folder.
final class ArtifactKeeper {
    /// The folder, relative to the repository.
    static let folder = SourceTree.ownFolder

    private let root: String
    /// Of the job; `nil` where artifacts go into the repository.
    private let jobFolder: JobFolder?
    /// What was kept: name and place.
    private(set) var kept: [(name: String, path: String)] = []
    /// JUnit reports among it.
    private(set) var reports: [String] = []

    init(root: String, jobFolder: JobFolder? = nil) {
        self.root = root
        self.jobFolder = jobFolder
    }

    /// Copies a file or folder out of a workspace, and says what was read and written. Throws when
    /// there is nothing to be kept, or the disk does not take it.
    func keep(
        _ path: String, name: String, isReport: Bool, from workspace: String
    ) throws -> RunTrace.Step {
        let target = try target(name)
        let glob = try Glob(path)
        let scan = try TreeScan(Folder(workspace), [glob])
        if scan.found.isEmpty { throw ArtifactError.nothing(path) }
        let aside = "\(target).new"
        ScratchRemoval.remove(aside)
        do {
            let base = Self.base(of: glob, scan)
            for found in scan.found { try copy(found, base, from: workspace, to: aside) }
            // Whole or not there at all.
            ScratchRemoval.remove(target)
            if rename(aside, target) != 0 {
                throw WorkspaceError.system("make", path: target, errno: errno)
            }
        } catch {
            ScratchRemoval.remove(aside)
            throw error
        }
        kept.append((name, target))
        if isReport { reports.append(target) }
        return .copied(
            read: scan.found.map { ($0.path, $0.stamp) },
            written: try written(to: target.utf8.dropFirst(root.utf8.count + 1)))
    }

    /// Copies an artifact that an earlier job has kept in a folder.
    func takeOver(_ name: String, isReport: Bool, from folder: String) throws {
        let kept = try target(name)
        guard let component = kept.split(separator: "/").last else { return }
        // The name of a folder or file, whatever signs of a pattern it has.
        let escaped = component.map { "*?[".contains($0) ? "[\($0)]" : String($0) }.joined()
        _ = try keep("./" + escaped, name: name, isReport: isReport, from: folder)
    }

    /// Takes note of what an engine before this one has kept.
    func recall(_ name: String, isReport: Bool) {
        guard let target = try? target(name), access(target, F_OK) == 0 else { return }
        kept.append((name, target))
        if isReport { reports.append(target) }
    }

    /// What stands in the repository after an artifact was put there.
    private func written(
        to target: Substring.UTF8View
    ) throws -> [(TreePath, FileStamp)] {
        if jobFolder != nil { return [] }
        let repository = try Folder(root)
        guard let path = TreePath(target), let stamp = try repository.stamp(path) else { return [] }
        if stamp.kind != .folder { return [(path, stamp)] }
        let scan = try TreeScan(Folder("\(root)/\(path.text)"), [Glob("**")])
        return scan.found.map { found in
            (TreePath(unchecked: path.bytes + [UInt8(ascii: "/")] + found.path.bytes), found.stamp)
        }
    }

    /// Where an artifact goes: a name is one component, whatever characters it has.
    private func target(_ name: String) throws -> String {
        let folder = jobFolder?.artifacts ?? "\(root)/\(Self.folder)"
        try Workspaces.makeFolder(folder)
        if jobFolder == nil { try Self.ignore(folder) }
        let component = name.split(separator: "/").last.map(String.init) ?? "artifact"
        return "\(folder)/\(component == ".." || component == "." ? "artifact" : component)"
    }

    /// Keeps git from seeing what Danube puts there.
    private static func ignore(_ folder: String) throws {
        let path = "\(folder)/.gitignore"
        var status = stat()
        if stat(path, &status) == 0 { return }
        // Always the same name, so that one which a killed run left is taken up again.
        let aside = "\(path).new"
        let file = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard file >= 0 else {
            throw WorkspaceError.system("make", path: aside, errno: errno)
        }
        defer { close(file) }
        let text = Array("*\n".utf8)
        let error = danube_write_all(file, text, text.count)
        if error < 0 { throw WorkspaceError.system("write", path: aside, errno: -error) }
        guard rename(aside, path) != 0 else { return }
        let reason = errno
        // Another run may have been first.
        if stat(path, &status) != 0 {
            throw WorkspaceError.system("make", path: path, errno: reason)
        }
    }

    /// What the paths of an artifact are relative to: a folder that was named is left out.
    private static func base(of glob: Glob, _ scan: TreeScan) -> TreePath? {
        guard let literal = glob.literal else { return .root }
        return scan.found.count == 1 && scan.found[0].path == literal
            && scan.found[0].stamp.kind != .folder ? nil : literal
    }

    private func copy(
        _ found: TreeScan.Found, _ base: TreePath?, from workspace: String, to target: String
    ) throws {
        var place = TreePath(unchecked: Array(target.utf8))
        if let base {
            place = place.appending(
                found.path.bytes.dropFirst(base.isRoot ? 0 : base.bytes.count + 1))
        }
        if found.stamp.kind == .folder { return try Self.makeFolders(place) }
        try Self.makeFolders(place.parent)
        let name = place.bytes.map { CChar(bitPattern: $0) } + [0]
        if let link = found.target {
            guard TreePath.withCString(link[...], { symlink($0, name) }) == 0 else {
                throw WorkspaceError.system("make", path: place.text, errno: errno)
            }
        } else if found.stamp.kind == .file {
            try FileCopy.copy(
                workspace.joined(found.path), to: name, mode: found.stamp.mode & 0o777)
        }
    }

    private static func makeFolders(_ path: TreePath) throws(WorkspaceError) {
        if path.withCString({ mkdir($0, 0o755) }) == 0 || errno == EEXIST { return }
        let error = errno
        guard error == ENOENT, !path.parent.isRoot else {
            throw .system("make the folder", path: path.text, errno: error)
        }
        try makeFolders(path.parent)
        if path.withCString({ mkdir($0, 0o755) }) != 0, errno != EEXIST {
            throw .system("make the folder", path: path.text, errno: errno)
        }
    }
}

/// Why an artifact cannot be kept.
enum ArtifactError: Error, CustomStringConvertible {
    case nothing(String)

    var description: String {
        switch self {
        case .nothing(let path): "there is no `\(path)` in the workspace"
        }
    }
}
