import FoundationEssentials
import Testing

/// The files of the repository, as the rules see them.
struct Repository: Sendable, CustomTestStringConvertible {
    /// A text file; its path is relative to the repository and uses `/`.
    struct File: Sendable, CustomTestStringConvertible {
        let path: String
        let text: String

        var testDescription: String { path }
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        var name: String { String(path.split(separator: "/").last ?? "") }
        var folders: [Substring] { Array(path.split(separator: "/").dropLast()) }

        /// Whether a program wrote it: one of the first five lines says so.
        var isGenerated: Bool {
            lines.prefix(5).contains {
                $0.contains("DO NOT EDIT") || $0.contains("enerated by")
            }
        }

        func has(_ extensions: String...) -> Bool { extensions.contains { name.hasSuffix($0) } }
    }

    let root: String
    var testDescription: String { root }
    /// Every path, text or not.
    let paths: [String]
    let files: [File]

    static let shared = Repository(root: defaultRoot)

    /// This checkout, or the one that `DANUBE_TIDY_ROOT` names.
    private static var defaultRoot: String {
        if let given = ProcessInfo.processInfo.environment["DANUBE_TIDY_ROOT"] { return given }
        return #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
    }

    init(root: String) {
        self.root = root
        var paths: [String] = []
        Self.walk(root, below: "", into: &paths)
        self.paths = paths.sorted()
        files = self.paths.compactMap { path in
            guard let data = FileManager.default.contents(atPath: root + "/" + path),
                let text = String(bytes: data, encoding: .utf8)
            else { return nil }
            return File(path: path, text: text)
        }
    }

    /// Handwritten files below a folder with one of the extensions.
    func handwritten(_ folder: String, _ extensions: String...) -> [File] {
        files.filter { file in
            file.path.hasPrefix(folder) && extensions.contains { file.name.hasSuffix($0) }
                && !file.isGenerated
        }
    }

    func file(_ path: String) -> File? { files.first { $0.path == path } }

    func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root + "/" + path)
    }

    /// What a checkout holds, without what building and testing leave there.
    private static func walk(_ root: String, below folder: String, into paths: inout [String]) {
        let built: Set = [".git", "dist", "__pycache__", "danube-out", "node_modules", ".venv"]
        let here = folder.isEmpty ? root : root + "/" + folder
        for name in (try? FileManager.default.contentsOfDirectory(atPath: here)) ?? [] {
            if built.contains(name) || name.hasPrefix(".build") || name.hasSuffix("_cache")
                || name.hasSuffix(".egg-info")
            {
                continue
            }
            let path = folder.isEmpty ? name : folder + "/" + name
            var isFolder = false
            guard FileManager.default.fileExists(atPath: root + "/" + path, isDirectory: &isFolder)
            else { continue }
            if isFolder { walk(root, below: path, into: &paths) } else { paths.append(path) }
        }
    }
}

/// A place that breaks a rule.
struct Finding: CustomStringConvertible, Equatable {
    let path: String
    /// 1-based; 0 for the file as a whole.
    var line = 0
    let message: String

    var description: String { line > 0 ? "\(path):\(line): \(message)" : "\(path): \(message)" }
}

/// Records each finding as an issue of the running test.
func report(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
    for finding in findings {
        Issue.record(Comment(rawValue: finding.description), sourceLocation: sourceLocation)
    }
}
