import Glibc

/// The folders in which Danube keeps things, by the XDG Base Directory Specification.
struct Places {
    /// What can be made again: `${XDG_CACHE_HOME:-~/.cache}/danube`.
    let cache: String
    /// What cannot: `${XDG_STATE_HOME:-~/.local/state}/danube`.
    let state: String

    /// Finds them. Throws when there is no home.
    init() throws(Failure) {
        cache = try Self.folder("XDG_CACHE_HOME", ".cache")
        state = try Self.folder("XDG_STATE_HOME", ".local/state")
    }

    /// The folder of a job, which is made.
    func jobFolder(_ job: String) throws(Failure) -> String {
        let folder = "\(state)/jobs/\(job)"
        try Self.make(folder)
        return folder
    }

    /// The absolute path of a folder that is there.
    static func absolute(_ folder: String) throws(Failure) -> String {
        guard let path = realpath(folder, nil) else {
            throw .mistake("cannot use \(folder): \(FileBytes.reason(errno))")
        }
        defer { free(path) }
        return String(cString: path)
    }

    /// Danube's folder below the one that a variable names, or else below the home.
    static func folder(_ variable: String, _ below: String) throws(Failure) -> String {
        if let given = Terminal.environment(variable), given.hasPrefix("/") {
            return given + "/danube"
        }
        guard let home = Terminal.environment("HOME"), home.hasPrefix("/") else {
            throw .environment(
                "there is no folder for what Danube keeps: HOME is not set",
                hint: "Set HOME, or \(variable).")
        }
        return "\(home)/\(below)/danube"
    }

    /// Makes a folder, and those above it, for nobody else to look into.
    static func make(_ folder: String) throws(Failure) {
        var place = ""
        for component in folder.split(separator: "/") {
            place += "/\(component)"
            guard mkdir(place, 0o700) == 0 || errno == EEXIST else {
                throw .environment("cannot make \(place): \(FileBytes.reason(errno))")
            }
        }
    }
}
