import Compiler
import Glibc

/// A folder of a repository as `danube init` looks at it: names, and a few small files.
struct Folder {
    /// Path to open, and the path from the repository's root (empty for the root itself).
    let path: String
    let name: String
    /// Names of the regular files in it.
    private(set) var files: Set<String> = []
    /// Names of the folders in it, sorted, without hidden and installed ones.
    private(set) var folders: [String] = []
    /// Why it cannot be listed, as in `<errno.h>`; 0 when it can.
    private(set) var problem: Int32 = 0
    var isReadable: Bool { problem == 0 }

    /// What is never the user's own source.
    private static let installed: Set<String> = [
        "node_modules", "vendor", "target", "build", "dist", "out", "venv", "__pycache__",
        "third_party",
    ]
    private static let mostNames = 20_000

    init(_ path: String, name: String = "") {
        self.path = path
        self.name = name
        guard let stream = opendir(path) else {
            problem = errno
            return
        }
        defer { closedir(stream) }
        var count = 0
        while let entry = readdir(stream), count < Self.mostNames {
            count += 1
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var status = stat()
            guard fstatat(dirfd(stream), name, &status, 0) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFREG: files.insert(name)
            case S_IFDIR where !name.hasPrefix(".") && !Self.installed.contains(name):
                folders.append(name)
            default: break
            }
        }
        folders.sort()
    }

    /// A folder in this one.
    func inside(_ folder: String) -> Folder {
        Folder(path + "/" + folder, name: name.isEmpty ? folder : name + "/" + folder)
    }

    /// The text of a file in it; empty when there is none.
    func text(_ file: String) -> String {
        guard files.contains(file), let bytes = FileBytes.ifPresent(path + "/" + file) else {
            return ""
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A JSON file in it.
    func json(_ file: String) -> JSONValue? {
        guard files.contains(file), let bytes = FileBytes.ifPresent(path + "/" + file) else {
            return nil
        }
        return try? JSONValue.parse(bytes)
    }

    func has(_ file: String) -> Bool { files.contains(file) }
    func hasFolder(_ folder: String) -> Bool { folders.contains(folder) }

    /// The first of these that is there.
    func first(of names: [String]) -> String? { names.first { files.contains($0) } }
}

/// Small readings of text.
enum Scan {
    /// The first number of dotted digits that follows a word in a text: `1.22` in `go 1.22.3`.
    static func version(in text: String, after word: String, parts: Int = 2) -> String? {
        for line in text.split(whereSeparator: \.isNewline) {
            let trimmed = line.drop { $0 == " " || $0 == "\t" }
            guard trimmed.hasPrefix(word) else { continue }
            return version(in: String(trimmed.dropFirst(word.count)), parts: parts)
        }
        return nil
    }

    /// The first number in a text, with at most `parts` parts.
    static func version(in text: String, parts: Int = 2) -> String? {
        guard let start = text.firstIndex(where: { $0.isASCII && $0.isNumber }) else { return nil }
        let digits = text[start...].prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let numbers = digits.split(separator: ".").prefix(parts)
        guard numbers.allSatisfy({ $0.utf8.count <= 4 }), !numbers.isEmpty else { return nil }
        return numbers.joined(separator: ".")
    }
}
