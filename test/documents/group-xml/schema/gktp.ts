/** Schema of GKTP documents (TS 24.481 7.7), in our own words. */
const OPEN = '<xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>';
const GKTP = '<xs:element name="GKTP" type="GKTPType" minOccurs="0" maxOccurs="unbounded"/>';

export const GKTP_XSD = `<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:3gpp:ns:mcpttGKTP:1.0"
    targetNamespace="urn:3gpp:ns:mcpttGKTP:1.0" elementFormDefault="qualified">
  <xs:element name="GKTPs">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="GMK-GKTPs" type="listType" minOccurs="0"/>
        <xs:element name="MKFC-GKTPs" type="listType" minOccurs="0"/>
        <xs:element name="anyExt" type="xs:anyType" minOccurs="0"/>
        ${OPEN}
      </xs:sequence>
    </xs:complexType>
  </xs:element>
  <xs:complexType name="listType">
    <xs:sequence>
      ${GKTP}
      <xs:element name="on-network-regrouped-GKTPs" minOccurs="0" maxOccurs="unbounded">
        <xs:complexType>
          <xs:sequence>${GKTP}</xs:sequence>
          <xs:attribute name="temporary-MCPTT-group-ID" type="xs:anyURI" use="required"/>
        </xs:complexType>
      </xs:element>
      <xs:element name="anyExt" type="xs:anyType" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="GKTPType">
    <xs:simpleContent>
      <xs:extension base="xs:hexBinary">
        <xs:attribute name="id" type="xs:string" use="required"/>
        <xs:attribute name="activationtime" type="xs:dateTime"/>
      </xs:extension>
    </xs:simpleContent>
  </xs:complexType>
</xs:schema>`;
