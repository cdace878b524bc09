import Glibc

/// What `danube init` recognises in a repository.
struct RepositorySurvey {
    /// The repository's name.
    private(set) var name = "Checks"
    private(set) var parts: [Part] = []
    /// The step that builds the repository's own image.
    private(set) var container: Part.Call?

    /// More folders with projects of their own than this make no readable file.
    private static let mostParts = 12

    init(_ directory: String) throws(Failure) {
        guard let resolved = realpath(directory, nil) else {
            throw .mistake("cannot use \(directory): \(FileBytes.reason(errno))")
        }
        let path = String(cString: resolved)
        free(resolved)
        let root = Folder(path)
        guard root.isReadable else {
            throw .mistake("cannot look into \(directory): \(FileBytes.reason(root.problem))")
        }
        if let last = path.split(separator: "/").last { name = Self.words(last) }
        parts = Self.parts(root)
        // Members of a workspace are built from its root.
        if parts.isEmpty {
            for folder in root.folders where parts.count < Self.mostParts {
                parts += Self.parts(root.inside(folder))
            }
        } else if !Self.ownsFolders(root) {
            let kinds = Set(parts.map(\.title))
            for folder in root.folders where parts.count < Self.mostParts {
                parts += Self.parts(root.inside(folder)).filter { !kinds.contains($0.title) }
            }
        }
        if parts.isEmpty, let make = CompiledParts.make(root) { parts = [make] }
        if root.first(of: ["Dockerfile", "Containerfile"]) != nil {
            container = Part.Call(
                command: "buildah build --tag \(PythonText.slug(name)) .", name: "image",
                comment: ["Builds the repository's own image; push it where it belongs."],
                image: "quay.io/buildah/stable")
        }
    }

    /// The name of a folder as that of a pipeline: a line without control characters.
    private static func words(_ name: Substring) -> String {
        var result = ""
        for scalar in name.unicodeScalars {
            if scalar == " " || DisplayText.escape(scalar) == nil {
                result.unicodeScalars.append(scalar)
            } else {
                result += " "
            }
        }
        return result.allSatisfy { $0 == " " } ? "Checks" : result
    }

    private static func parts(_ folder: Folder) -> [Part] {
        [
            NodePart.find(folder), PythonPart.find(folder), CompiledParts.rust(folder),
            CompiledParts.go(folder), CompiledParts.swift(folder), CompiledParts.java(folder),
            CompiledParts.cmake(folder),
        ].compactMap { $0 }
    }

    /// Whether what is at the root covers the folders beneath it.
    private static func ownsFolders(_ root: Folder) -> Bool {
        root.text("package.json").contains("\"workspaces\"") || root.has("pnpm-workspace.yaml")
            || root.has("go.work") || root.text("Cargo.toml").contains("[workspace]")
    }
}
