/** Schema of xcap-diff documents (RFC 5874 4, with the patch operations of RFC 5261 8), in our own words. */
const sel = '<xs:attribute name="sel" type="xs:string" use="required"/>';
const anything = '<xs:any namespace="##any" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>';
const oneOf = (name: string, type: string, ...values: string[]) => `
  <xs:simpleType name="${name}">
    <xs:restriction base="xs:${type}">${values.map((v) => `<xs:enumeration value="${v}"/>`).join("")}</xs:restriction>
  </xs:simpleType>`;

export const XCAP_DIFF_XSD = `<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:ietf:params:xml:ns:xcap-diff"
    targetNamespace="urn:ietf:params:xml:ns:xcap-diff" elementFormDefault="qualified">
  <xs:element name="xcap-diff">
    <xs:complexType>
      <xs:sequence minOccurs="0" maxOccurs="unbounded">
        <xs:choice>
          <xs:element name="document" type="documentType"/>
          <xs:element name="element" type="elementType"/>
          <xs:element name="attribute" type="attributeType"/>
          <xs:any namespace="##other" processContents="lax"/>
        </xs:choice>
      </xs:sequence>
      <xs:attribute name="xcap-root" type="xs:anyURI" use="required"/>
      <xs:anyAttribute namespace="##other" processContents="lax"/>
    </xs:complexType>
  </xs:element>
  <xs:complexType name="documentType">
    <xs:choice minOccurs="0">
      <xs:element name="body-not-changed"><xs:complexType/></xs:element>
      <xs:choice minOccurs="0" maxOccurs="unbounded">
        <xs:element name="add">
          <xs:complexType mixed="true">
            <xs:sequence>${anything}</xs:sequence>
            ${sel}
            <xs:attribute name="pos" type="position"/>
            <xs:attribute name="type" type="xs:string"/>
          </xs:complexType>
        </xs:element>
        <xs:element name="remove">
          <xs:complexType>
            ${sel}
            <xs:attribute name="ws" type="whiteSpace"/>
          </xs:complexType>
        </xs:element>
        <xs:element name="replace">
          <xs:complexType mixed="true">
            <xs:sequence>${anything}</xs:sequence>
            ${sel}
          </xs:complexType>
        </xs:element>
        <xs:any namespace="##other" processContents="lax"/>
      </xs:choice>
    </xs:choice>
    <xs:attribute name="sel" type="xs:anyURI" use="required"/>
    <xs:attribute name="new-etag" type="xs:string"/>
    <xs:attribute name="previous-etag" type="xs:string"/>
  </xs:complexType>
  <xs:complexType name="elementType">
    <xs:sequence>${anything}</xs:sequence>
    <xs:attribute name="sel" type="xs:anyURI" use="required"/>
    <xs:attribute name="exists" type="xs:boolean"/>
  </xs:complexType>
  <xs:complexType name="attributeType">
    <xs:simpleContent>
      <xs:extension base="xs:string">
        <xs:attribute name="sel" type="xs:anyURI" use="required"/>
        <xs:attribute name="exists" type="xs:boolean"/>
      </xs:extension>
    </xs:simpleContent>
  </xs:complexType>
  ${oneOf("position", "string", "before", "after", "prepend")}
  ${oneOf("whiteSpace", "string", "before", "after", "both")}
</xs:schema>`;
