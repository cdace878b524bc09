/// The release that this is.
package enum Release {
    /// Its version, as in `CHANGELOG.md`; of all programs the same.
    package static let version = "0.1.0"
}
